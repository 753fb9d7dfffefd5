import { Readable } from 'node:stream';
import { Pool } from 'undici';
import type { VllmSettings } from '../../config/schema/backend.ts';
import { PreambleError } from '../../errors.ts';
import type { Candidate } from './choose.ts';
import { isServerAway, transportError, upstreamError } from './errors.ts';
import { firstValue, type HeaderValues, passedHeaders } from './headers.ts';
import { createServerHealth, type ServerHealth } from './health.ts';

/** An error answer is a sentence; what is longer is cut. */
const MAX_ERROR_BYTES = 64 * 1024;
const MILLISECONDS = 1000;

export type ServerSettings = Pick<VllmSettings, 'connections' | 'timeouts' | 'health'>;

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
  /** Lets what runs end. */
  close(): Promise<void>;
}

export function createUpstreamServer(url: string, settings: ServerSettings): UpstreamServer {
  const { origin, pathname } = new URL(url);
  const base = pathname.replace(/\/+$/, '');
  const { connectSeconds, firstByteSeconds, betweenBytesSeconds } = settings.timeouts;
  const connections = new Pool(origin, {
    connections: settings.connections,
    pipelining: 1,
    connect: { timeout: connectSeconds * MILLISECONDS },
    headersTimeout: firstByteSeconds * MILLISECONDS,
    bodyTimeout: betweenBytesSeconds * MILLISECONDS,
  });
  const health = createServerHealth(settings.health);
  let outstanding = 0;

  async function send(request: ServerRequest): Promise<ServerResponse> {
    outstanding++;
    const release = once(() => outstanding--);
    // A body that nobody ever reads.
    request.signal.addEventListener('abort', release, { once: true });
    const end = () => {
      request.signal.removeEventListener('abort', release);
      release();
    };
    try {
      const { statusCode, headers, body } = await connections.request({
        method: request.method,
        path: base + request.path,
        headers: { ...request.headers, ...lengthOf(request.body) },
        body: bodyOf(request.body),
        signal: request.signal,
      });
      if (statusCode >= 400) {
        const error = upstreamError(statusCode, headers, await readStart(body));
        // Not its own words, which may quote the request: this one is logged and shown.
        if (isServerAway(statusCode)) health.failed(`It answers with status ${statusCode}.`, performance.now());
        throw error;
      }
      if (statusCode >= 300) {
        await readStart(body);
        throw redirected(statusCode);
      }
      return answer(statusCode, headers, tracked(body, request.signal, end));
    } catch (thrown) {
      end();
      throw failed(thrown, request.signal);
    }
  }

  /** The body, with what becomes of it noted. */
  async function* tracked(
    body: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
    end: () => void,
  ): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
      health.succeeded();
    } catch (thrown) {
      throw failed(thrown, signal);
    } finally {
      end();
    }
  }

  function failed(thrown: unknown, signal: AbortSignal) {
    const error = transportError(thrown, signal);
    if (error.code.startsWith('upstream_') && error.code !== 'upstream_error') {
      health.failed(error.message, performance.now());
    }
    return error;
  }

  return {
    url,
    health,
    candidate: (now) => ({ key: url, outstanding, weight: health.weight(now) }),
    send,
    close: () => connections.close(),
  };
}

function answer(status: number, headers: HeaderValues, body: AsyncIterable<Uint8Array>): ServerResponse {
  return { status, headers: passedHeaders(headers), contentType: firstValue(headers['content-type']) ?? '', body };
}

/** Several pieces as a stream of just these, so that none is copied. */
function bodyOf(pieces: readonly Uint8Array[]): Uint8Array | Readable | null {
  const [first, ...rest] = pieces;
  if (first === undefined || rest.length === 0) return first ?? null;
  return new Readable({
    read() {
      for (const piece of pieces) this.push(piece);
      this.push(null);
    },
  });
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

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}
