import { Readable } from 'node:stream';
import { Client, type Dispatcher, Pool } from 'undici';
import type { UpstreamSettings } from '../../config/schema/backend.ts';
import { PreambleError } from '../../errors.ts';
import type { Candidate } from './choose.ts';
import { isServerAway, transportError, upstreamError } from './errors.ts';
import { exchange } from './exchange.ts';
import { firstValue, type HeaderValues, passedHeaders } from './headers.ts';
import { createServerHealth, type ServerHealth } from './health.ts';

/** An error answer is a sentence; what is longer is cut. */
const MAX_ERROR_BYTES = 64 * 1024;
const MILLISECONDS = 1000;
/** Copying so much takes a microsecond or two, a write of its own ten. */
const SMALL_BYTES = 16 * 1024;

/** What says nothing of how a server is. */
const SILENT: Pick<ServerHealth, 'succeeded' | 'failed'> = { succeeded() {}, failed() {} };

export type ServerSettings = Pick<UpstreamSettings, 'connections' | 'timeouts' | 'health'>;

export interface ServerRequest {
  readonly method: 'GET' | 'POST';
  /** `/v1/chat/completions` */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent one after the other as they are; empty for none. */
  readonly body: readonly Uint8Array[];
  readonly signal: AbortSignal;
}

export interface ServerResponse {
  readonly status: number;
  /** Those that the client may see. */
  readonly headers: Record<string, string | string[]>;
  readonly contentType: string;
  /** Ending the iteration, or not beginning it before the signal fires, ends the request. Throws PreambleError. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** One model server, its connections, and what is known of it. */
export interface UpstreamServer {
  readonly url: string;
  readonly health: ServerHealth;
  candidate(now: number): Candidate;
  /** Throws PreambleError: the server's own error as `upstream_error`, else `upstream_*`, or the signal's reason. */
  send(request: ServerRequest): Promise<ServerResponse>;
  /**
   * The same, and once more on a connection of its own where the one that was taken had served before and ended without a byte of an answer: a server
   * may close a connection that nobody uses just when a request is on its way (RFC 9112, 9.3.1). That the request is repeated though it is a POST is
   * right here (RFC 9110, 9.2.2: "some means to know that the request semantics are actually idempotent"): generation changes nothing, and the
   * client gets one answer. At worst a server that fell over this request computes it a second time.
   */
  sendAgainIfStale(request: ServerRequest): Promise<ServerResponse>;
  /** The same as `send` for the gateway's own questions, which say nothing of how requests are answered: what comes of them is the pool's to judge. */
  ask(request: ServerRequest): Promise<ServerResponse>;
  /** Lets what runs end. */
  close(): Promise<void>;
}

export function createUpstreamServer(url: string, settings: ServerSettings): UpstreamServer {
  const { origin, pathname } = new URL(url);
  const base = pathname.replace(/\/+$/, '');
  const { connectSeconds, firstByteSeconds, betweenBytesSeconds } = settings.timeouts;
  const options = {
    pipelining: 1,
    connect: { timeout: connectSeconds * MILLISECONDS },
    headersTimeout: firstByteSeconds * MILLISECONDS,
    bodyTimeout: betweenBytesSeconds * MILLISECONDS,
  };
  const connections = new Pool(origin, { ...options, connections: settings.connections });
  const stale = new WeakSet<Error>();
  const health = createServerHealth(settings.health);
  let outstanding = 0;

  async function converse(
    { method, path, headers, body: pieces, signal }: ServerRequest,
    judge: Pick<ServerHealth, 'succeeded' | 'failed'>,
    dispatcher: Dispatcher = connections,
  ): Promise<ServerResponse> {
    outstanding++;
    const response = await exchange(
      dispatcher,
      { method, path: base + path, headers: { ...headers, ...lengthOf(pieces) }, body: bodyOf(pieces) },
      signal,
      {
        onSuccess(answered) {
          outstanding--;
          if (answered < 300) judge.succeeded();
        },
        onFailure(thrown, wasStale) {
          outstanding--;
          const error = failed(thrown, signal, wasStale ? SILENT : judge);
          if (wasStale) stale.add(error);
          return error;
        },
      },
    );
    const { status, body } = response;
    if (status >= 400) {
      const error = upstreamError(status, response.headers, await readStart(body));
      // Not its own words, which may quote the request: this one is logged and shown.
      if (isServerAway(status)) judge.failed(`It answers with status ${status}.`, performance.now());
      throw error;
    }
    if (status >= 300) {
      await readStart(body);
      throw failed(redirected(status), signal, judge);
    }
    return answer(status, response.headers, body);
  }

  function failed(thrown: unknown, signal: AbortSignal, judge: Pick<ServerHealth, 'failed'>) {
    const error = transportError(thrown, signal);
    if (error.code.startsWith('upstream_') && error.code !== 'upstream_error') {
      judge.failed(error.message, performance.now());
    }
    return error;
  }

  return {
    url,
    health,
    candidate: (now) => ({ key: url, outstanding, weight: health.weight(now) }),
    send: (request) => converse(request, health),
    async sendAgainIfStale(request) {
      try {
        return await converse(request, health);
      } catch (error) {
        if (!(error instanceof Error && stale.has(error)) || request.signal.aborted) throw error;
      }
      // The others may be as old.
      const fresh = new Client(origin, options);
      try {
        return await converse(request, health, fresh);
      } finally {
        // Once its answer has been read.
        void fresh.close();
      }
    },
    ask: (request) => converse(request, SILENT),
    close: () => connections.close(),
  };
}

function answer(status: number, headers: HeaderValues, body: AsyncIterable<Uint8Array>): ServerResponse {
  return { status, headers: passedHeaders(headers), contentType: firstValue(headers['content-type']) ?? '', body };
}

/** One piece as it is; several as a stream of them. A stream costs more than copying a few kilobytes, and each of its pieces is a write. */
function bodyOf(body: readonly Uint8Array[]): Uint8Array | Readable | null {
  const pieces = joinSmall(body);
  const [first, ...rest] = pieces;
  if (first === undefined || rest.length === 0) return first ?? null;
  return new Readable({
    read() {
      for (const piece of pieces) this.push(piece);
      this.push(null);
    },
  });
}

/** Neighbours that are small become one piece; large ones, a soft prompt's, are never copied. */
function joinSmall(pieces: readonly Uint8Array[]): Uint8Array[] {
  const joined: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  const flush = () => {
    const [first] = small;
    if (first !== undefined) joined.push(small.length === 1 ? first : Buffer.concat(small));
    small = [];
  };
  for (const piece of pieces) {
    if (piece.length <= SMALL_BYTES) {
      small.push(piece);
      continue;
    }
    flush();
    joined.push(piece);
  }
  flush();
  return joined;
}

function lengthOf(pieces: readonly Uint8Array[]): Record<string, string> {
  if (pieces.length === 0) return {};
  return { 'content-length': String(pieces.reduce((total, { length }) => total + length, 0)) };
}

/** Not followed: it could lead anywhere, with the servers' key. */
function redirected(status: number): PreambleError {
  return new PreambleError('upstream_invalid', `The model server answered with a redirection (${status}).`);
}

async function readStart(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= MAX_ERROR_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
