import { createSseFramer } from '../../openai/sse-frames.ts';
import { collectWhole } from '../../openai/whole-answer.ts';
import type { RelayedAnswer } from '../backend.ts';
import { inOpenAiShape } from './answer-shapes.ts';

/** TGI's answer in OpenAI's shapes. Events and answers that have them go through as they came. */
export function readTgiAnswer(answer: RelayedAnswer): RelayedAnswer {
  return { ...answer, body: answer.events ? shapedEvents(answer.body) : shapedWhole(answer.body) };
}

async function* shapedWhole(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const bytes = await collectWhole(body);
  const shaped = shape(bytes.toString('utf8'));
  yield shaped === null ? bytes : Buffer.from(shaped);
}

async function* shapedEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const framer = createSseFramer();
  for await (const chunk of body) {
    const frames = framer.push(chunk).map(({ bytes, data }) => {
      const shaped = data === null ? null : shape(data);
      return shaped === null ? bytes : Buffer.from(`data: ${shaped}\n\n`);
    });
    if (frames.length > 0) yield frames.length === 1 ? (frames[0] ?? chunk) : Buffer.concat(frames);
  }
  // Half an event: whoever reads it sees that the answer broke off.
  if (framer.pending() > 0) yield Buffer.from(':');
}

/** Null where nothing is to change; what is no JSON is for the reader to complain of. */
function shape(text: string): string | null {
  if (!MAY_DIFFER.test(text)) return null;
  try {
    const shaped = inOpenAiShape(JSON.parse(text));
    return shaped === null ? null : JSON.stringify(shaped);
  } catch {
    return null;
  }
}

/** Most events hold nothing of that, and need not be parsed twice. */
const MAY_DIFFER = /"(?:eos_token|stop_sequence|tool_calls|error)"|"finish_reason":\s*""/;
