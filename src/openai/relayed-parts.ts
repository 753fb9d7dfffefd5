import { PreambleError } from '../errors.ts';
import { parseUpstreamJson } from './read-answer.ts';
import { createSseFramer } from './sse-frames.ts';

/** What ends a stream, in OpenAI's way. */
export const DONE = '[DONE]';

/** What a model server's events say, for those who do not hand them on. Throws `upstream_broken` unless they end with `[DONE]`. */
export async function* relayedParts(body: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  const framer = createSseFramer();
  let done = false;
  for await (const bytes of body) {
    for (const { data } of framer.push(bytes)) {
      if (data === DONE) done = true;
      else if (data !== null) yield parseUpstreamJson(data);
    }
  }
  if (!done || framer.pending() > 0) throw brokenOff();
}

export function brokenOff(): PreambleError {
  return new PreambleError('upstream_broken', 'The model server broke off before the answer was complete.', {
    action: 'Try again.',
  });
}
