import type { IncomingHttpHeaders } from 'node:http';
import { type Dispatcher, errors } from 'undici';
import { createAnswerBody } from './answer-body.ts';
import { type SocketUse, watchSocket } from './reused-sockets.ts';

export interface ExchangeResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Ending the iteration ends the request. Throws what `onFailure` made of the fault. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** What becomes of a request; one of the two is called, once, whenever that is. */
export interface ExchangeEvents {
  /** The whole answer came. */
  onSuccess(status: number): void;
  /** It broke off, or was given up. `stale`: on a connection that the server had closed, most likely before it saw the request. Returns what the reader gets. */
  onFailure(thrown: unknown, stale: boolean): Error;
}

/**
 * One request, from its first byte to the last of its answer. Resolves with the answer's head. `signal` ends it at any time, also where
 * nobody reads the body. Undici's `request()` does as much by a Readable for each body; on this path that was a sixth of the whole.
 */
export function exchange(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  signal: AbortSignal,
  { onSuccess, onFailure }: ExchangeEvents,
): Promise<ExchangeResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<ExchangeResponse>();
  let connection: Dispatcher.DispatchController | null = null;
  let use: SocketUse | null = null;
  let answered = 0;
  let over = false;
  const body = createAnswerBody({
    pause: () => connection?.pause(),
    resume: () => connection?.resume(),
    abandon: () => giveUp(new errors.RequestAbortedError()),
  });

  function finish(): boolean {
    if (over) return false;
    over = true;
    signal.removeEventListener('abort', onAbort);
    return true;
  }

  function fail(thrown: unknown): void {
    if (!finish()) return;
    const error = onFailure(thrown, use?.isStale(thrown) === true);
    // Whichever of the two is waited for.
    reject(error);
    body.fail(error);
  }

  /** The request waits for a connection, or has one. */
  function giveUp(reason: Error): void {
    fail(reason);
    connection?.abort(reason);
  }

  function onAbort(): void {
    giveUp(signal.reason instanceof Error ? signal.reason : new errors.RequestAbortedError());
  }

  if (signal.aborted) {
    onAbort();
    return promise;
  }
  signal.addEventListener('abort', onAbort, { once: true });
  dispatcher.dispatch(options, {
    onRequestStart(controller) {
      connection = controller;
      // Given up while it waited for a connection.
      if (over) controller.abort(new errors.RequestAbortedError());
      else use = watchSocket();
    },
    onResponseStart(_controller, status, headers) {
      // 1xx: more is to come.
      if (status < 200) return;
      answered = status;
      resolve({ status, headers, body });
    },
    onResponseData: (_controller, chunk) => body.push(chunk),
    onResponseEnd() {
      if (!finish()) return;
      onSuccess(answered);
      body.end();
    },
    onResponseError: (_controller, error) => fail(error),
  });
  return promise;
}
