import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { RelayedAnswer } from '../backends/backend.ts';
import { toError } from '../errors.ts';
import { parseUpstreamJson } from '../openai/read-answer.ts';
import { brokenOff, DONE } from '../openai/relayed-parts.ts';
import { encodeErrorEvent } from '../openai/sse.ts';
import { createSseFramer, type SseFrame } from '../openai/sse-frames.ts';
import { collectWhole } from '../openai/whole-answer.ts';
import { beginEventStream, drained, type EventStreamOptions } from './event-stream.ts';

/** Reads along. Says whether the client is to get this part: the token counts that only the gateway asked for it is not. */
export type ReadPart = (part: unknown) => boolean;

/** A model server's whole answer, read along and returned as it came. */
export async function relayWhole(answer: RelayedAnswer, read: (body: unknown) => void): Promise<Buffer> {
  const bytes = await collectWhole(answer.body);
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
  // The server's head has come; Node would hold ours back until the first event.
  raw.flushHeaders();
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
