import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { RelayedAnswer } from '../backends/backend.ts';
import { PreambleError, toError } from '../errors.ts';
import { parseUpstreamJson } from '../openai/read-answer.ts';
import { encodeErrorEvent } from '../openai/sse.ts';
import { createSseFramer, type SseFrame } from '../openai/sse-frames.ts';
import { beginEventStream, drained, type EventStreamOptions } from './event-stream.ts';

/** A whole answer of 128 choices with logprobs stays far below; more is not an answer. */
const MAX_WHOLE_BYTES = 64 * 2 ** 20;
const DONE = '[DONE]';

/** Reads along. Says whether the client is to get this part: the token counts that only the gateway asked for it is not. */
export type ReadPart = (part: unknown) => boolean;

/** A model server's whole answer, read along and returned as it came. */
export async function relayWhole(answer: RelayedAnswer, read: (body: unknown) => void): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.body) {
    length += chunk.length;
    if (length > MAX_WHOLE_BYTES) {
      throw new PreambleError('upstream_invalid', `The model server's answer has more than ${MAX_WHOLE_BYTES} bytes.`);
    }
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  read(parseUpstreamJson(bytes.toString('utf8')));
  return bytes;
}

/**
 * Hands a model server's events on as they came, whole events only, and no faster than the client reads. One that breaks off, or ends
 * without `[DONE]`, ends with an `error` event.
 */
export async function relayEvents(
  reply: FastifyReply,
  answer: RelayedAnswer,
  read: ReadPart,
  options: EventStreamOptions,
): Promise<void> {
  const raw = beginEventStream(reply, answer.status);
  try {
    await pump(raw, answer, read, options);
    if (!raw.destroyed) raw.end();
  } catch (error) {
    options.onError(error);
    if (!raw.destroyed) raw.end(encodeErrorEvent(error));
  }
}

async function pump(
  raw: ServerResponse,
  answer: RelayedAnswer,
  read: ReadPart,
  { waiting, stalledClientSeconds }: EventStreamOptions,
): Promise<void> {
  const framer = createSseFramer();
  const source = answer.body[Symbol.asyncIterator]();
  let done = false;
  const isKept = ({ data }: SseFrame) => {
    if (data === DONE) done = true;
    return data === null || data === DONE || read(parseUpstreamJson(data));
  };
  const isComplete = () => done && framer.pending() === 0;
  try {
    while (true) {
      const next = await waiting(source.next()).catch((error: unknown) => {
        // How the connection ends behind a complete answer is nothing to the client.
        if (!isComplete()) throw error;
        return { done: true as const, value: undefined };
      });
      if (next.done === true) break;
      const frames = framer.push(next.value);
      const { kept, fault } = sift(frames, isKept);
      if (kept.length > 0 && !raw.write(joined(kept, frames.length))) {
        await waiting(drained(raw, stalledClientSeconds));
      }
      if (fault !== null) throw fault;
    }
  } finally {
    await source.return?.();
  }
  if (!isComplete()) throw brokenOff();
}

/** What a model server's events say, for those who do not hand them on. Throws `upstream_broken` unless they end with `[DONE]`. */
export async function* relayedParts(answer: RelayedAnswer): AsyncGenerator<unknown> {
  const framer = createSseFramer();
  let done = false;
  for await (const bytes of answer.body) {
    for (const { data } of framer.push(bytes)) {
      if (data === DONE) done = true;
      else if (data !== null) yield parseUpstreamJson(data);
    }
  }
  if (!done || framer.pending() > 0) throw brokenOff();
}

function brokenOff(): PreambleError {
  return new PreambleError('upstream_broken', 'The model server broke off before the answer was complete.', {
    action: 'Try again.',
  });
}

/** What goes on to the client: with a fault, the events in front of it. */
function sift(
  frames: readonly SseFrame[],
  isKept: (frame: SseFrame) => boolean,
): { kept: SseFrame[]; fault: Error | null } {
  const kept: SseFrame[] = [];
  try {
    for (const frame of frames) if (isKept(frame)) kept.push(frame);
    return { kept, fault: null };
  } catch (error) {
    return { kept, fault: toError(error) };
  }
}

/** One write for all: events that came in one piece lie side by side in it, and need no copy. */
function joined(kept: readonly SseFrame[], all: number): Uint8Array {
  const [first] = kept;
  const last = kept.at(-1);
  if (first === undefined || last === undefined) return new Uint8Array();
  if (kept.length < all) return Buffer.concat(kept.map(({ bytes }) => bytes));
  const { buffer, byteOffset } = first.bytes;
  return new Uint8Array(buffer, byteOffset, last.bytes.byteOffset + last.bytes.byteLength - byteOffset);
}
