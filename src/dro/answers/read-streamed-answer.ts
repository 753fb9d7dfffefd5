import { PreambleError } from '../../errors.ts';
import { parseUpstreamJson, readChatChunk } from '../../openai/read-answer.ts';
import { readServerSentEvents } from '../../openai/sse-decoder.ts';
import { isObject } from '../../openai/validate.ts';
import type { Answer } from './answer-source.ts';
import { createJudge } from './judge.ts';

const END = '[DONE]';

/**
 * One choice of a chat stream, to its end or until it is decided. Throws `upstream_broken` for a stream that breaks off without a finish
 * reason, `upstream_error` for an error within it, `upstream_invalid` for what is no chat stream.
 */
export async function readStreamedAnswer(body: AsyncIterable<Uint8Array>, untilDecided: boolean): Promise<Answer> {
  const judge = createJudge(untilDecided);
  let finishReason: string | null = null;
  let counted: number | null = null;
  let pieces = 0;
  for await (const { data } of readServerSentEvents(body)) {
    if (data === END) break;
    const value = parseUpstreamJson(data);
    const chunk = readChatChunk(value);
    if (chunk === null) throw notAChunk(value);
    counted = chunk.usage?.completion_tokens ?? counted;
    const choice = chunk.choices[0];
    if (choice === undefined) continue;
    const { content, refusal, tool_calls: calls } = choice.delta;
    if (content) {
      pieces++;
      judge.push(content);
    }
    if (refusal) judge.refusal(refusal);
    if (calls && calls.length > 0) judge.toolCall();
    finishReason = choice.finish_reason ?? finishReason;
    if (finishReason === null && judge.enough) return judge.end('decided', pieces);
  }
  if (finishReason === null) {
    throw new PreambleError('upstream_broken', 'The model server broke off in the middle of an answer.');
  }
  return judge.end(finishReason, counted ?? pieces);
}

/** An error that came after the head had been sent, or something else. */
function notAChunk(value: unknown): PreambleError {
  const fault = isObject(value) ? value['error'] : undefined;
  if (fault === undefined) {
    return new PreambleError('upstream_invalid', 'The model server sent something that is not a chat stream.');
  }
  return new PreambleError('upstream_broken', 'The model server reported an error in the middle of an answer.');
}
