import type { FastifyReply } from 'fastify';
import { PreambleError } from '../errors.ts';
import { toErrorResponse } from '../openai/error-body.ts';
import { encodeResponseEvent, type FinalEvent, type ResponseEvent } from '../openai/responses/events.ts';
import { type ChatPart, readChatPart, readStreamFault } from '../openai/responses/read-chat.ts';
import type { AnswerTranslation } from '../openai/responses/translate-answer.ts';
import { beginEventStream, drained, type EventStreamOptions } from './event-stream.ts';

export interface ResponseStreamOptions extends EventStreamOptions {
  /** Reads along. */
  onPart(part: ChatPart): void;
  /** Once the answer is complete: its last event. */
  end(): Promise<FinalEvent>;
}

/**
 * Sends the events of a response as the parts of the chat answer come, and no faster than the client reads. What breaks off ends with
 * `error` and `response.failed`, never with `response.completed`.
 */
export async function sendResponseEvents(
  reply: FastifyReply,
  parts: AsyncIterable<unknown>,
  translation: AnswerTranslation,
  { stalledClientSeconds, silent, waiting, onError, onPart, end }: ResponseStreamOptions,
): Promise<void> {
  const raw = beginEventStream(reply, 200, silent);
  const send = async (events: readonly ResponseEvent[]): Promise<void> => {
    if (events.length === 0 || raw.write(encodeAll(events))) return;
    await waiting(drained(raw, stalledClientSeconds));
  };
  try {
    await send(translation.begin());
    for await (const value of parts) {
      const fault = readStreamFault(value);
      if (fault !== null) {
        onError(new PreambleError('upstream_error', 'The model server reported an error in mid-stream.'));
        raw.end(encodeAll(translation.fail(fault, false)));
        return;
      }
      const part = readChatPart(value);
      if (part === null)
        throw new PreambleError('upstream_invalid', 'The model server sent what is no part of a chat.');
      onPart(part);
      await send(translation.push(part));
    }
    await send(translation.close());
    raw.end(encodeAll([await end()]));
  } catch (error) {
    onError(error);
    if (raw.destroyed) return;
    const { status, body } = toErrorResponse(error);
    raw.end(encodeAll(translation.fail(body.error, status === 429)));
  }
}

function encodeAll(events: readonly ResponseEvent[]): string {
  return events.map(encodeResponseEvent).join('');
}
