import { subscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { errors } from 'undici';
import { isObject } from '../../openai/validate.ts';

/** How a connection stood when a request went out on it. */
export interface SocketUse {
  /** Whether the fault is a connection that had served before, and ended without one byte for this request. */
  isStale(thrown: unknown): boolean;
}

/** Whoever is about to learn its socket; undici names it in the same turn in which it begins a request. */
let starting: ((socket: Socket) => void) | null = null;

// Undici tells a request's handler nothing of its socket. Its own channel does, and costs a call.
subscribe('undici:client:sendHeaders', (message) => {
  const told = starting;
  starting = null;
  if (told !== null && isObject(message) && message['socket'] instanceof Socket) told(message['socket']);
});

/** Call it where undici begins a request. */
export function watchSocket(): SocketUse {
  let socket: Socket | null = null;
  let read = 0;
  starting = (used) => {
    socket = used;
    read = used.bytesRead;
  };
  return {
    isStale: (thrown) => isClosed(thrown) && socket !== null && read > 0 && socket.bytesRead === read,
  };
}

function isClosed(thrown: unknown): boolean {
  if (thrown instanceof errors.SocketError) return true;
  return thrown instanceof Error && 'code' in thrown && (thrown.code === 'ECONNRESET' || thrown.code === 'EPIPE');
}
