import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { PreambleError } from '../errors.ts';
import { DONE_EVENT, encodeErrorEvent, encodeEvent, KEEP_ALIVE_COMMENT } from '../openai/sse.ts';

/** `x-accel-buffering` keeps nginx from collecting the events. */
const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  'x-accel-buffering': 'no',
} as const;

export interface EventStreamOptions {
  /** A client that has not read for this long is let go. */
  stalledClientSeconds: number;
  /** Wraps waiting for the client, to measure it. */
  waiting<T>(others: Promise<T>): Promise<T>;
  /** It may be long until the first event: the head goes at once, and a comment from time to time. */
  silent?: boolean;
  /** An error after the first byte goes to the client in the stream; here is where it is logged. */
  onError(error: unknown): void;
}

/**
 * Sends events as they come and no faster than the client reads, so that nothing piles up here. An error ends the stream with an `error`
 * event and without `[DONE]`.
 */
export async function sendEvents(
  reply: FastifyReply,
  events: AsyncIterable<object>,
  options: EventStreamOptions,
): Promise<void> {
  const raw = beginEventStream(reply, 200, options.silent);
  try {
    for await (const event of events) {
      if (!raw.write(encodeEvent(event))) await options.waiting(drained(raw, options.stalledClientSeconds));
    }
    raw.end(DONE_EVENT);
  } catch (error) {
    options.onError(error);
    if (!raw.destroyed) raw.end(encodeErrorEvent(error));
  }
}

/** Proxies between end a connection that is silent for a minute, nginx by default. */
const KEEP_ALIVE_MS = 15_000;

/** Takes the answer over from Fastify and sends its head. */
export function beginEventStream(reply: FastifyReply, status: number, silent = false): ServerResponse {
  reply.hijack();
  const closing = reply.server.draining ? { connection: 'close' } : {};
  reply.raw.writeHead(status, { ...definedHeaders(reply), ...headers, ...closing });
  if (silent) keepAlive(reply.raw);
  return reply.raw;
}

function keepAlive(raw: ServerResponse): void {
  raw.flushHeaders();
  const timer = setInterval(() => {
    if (!raw.writableEnded && !raw.writableNeedDrain) raw.write(KEEP_ALIVE_COMMENT);
  }, KEEP_ALIVE_MS);
  raw.once('close', () => clearInterval(timer));
}

/** Resolves when the client has read on. Throws `cancelled` when it is gone or has not read for too long. */
export function drained(raw: ServerResponse, seconds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (action: () => void) => {
      clearTimeout(timer);
      raw.off('drain', onDrain).off('close', onClose);
      action();
    };
    const onDrain = () => settle(resolve);
    const onClose = () => settle(() => reject(new PreambleError('cancelled', 'The client went away.')));
    const timer = setTimeout(() => {
      raw.destroy();
      settle(() => reject(new PreambleError('cancelled', `The client did not read for ${seconds} seconds.`)));
    }, seconds * 1000);
    raw.on('drain', onDrain).on('close', onClose);
    if (raw.destroyed) onClose();
  });
}

function definedHeaders(reply: FastifyReply): Record<string, string | number | string[]> {
  const entries = Object.entries(reply.getHeaders());
  return Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
