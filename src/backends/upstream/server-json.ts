import { PreambleError } from '../../errors.ts';
import type { ServerRequest, ServerResponse, UpstreamServer } from './server.ts';

/** What the gateway's own questions to a server have in common. */
export interface ServerCall {
  /** Its API key, where it wants one. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Lists of models and probes are some kilobytes. */
const MAX_ANSWER_BYTES = 4 * 2 ** 20;

export async function getJson(server: UpstreamServer, path: string, call: ServerCall): Promise<unknown> {
  return await readJson(await server.ask({ ...call, method: 'GET', path, body: [] }), server.url + path);
}

/** Throws the server's own word where it says that it is not well. */
export async function askHealth(server: UpstreamServer, call: ServerCall): Promise<void> {
  const { body } = await server.ask({ ...call, method: 'GET', path: '/health', body: [] });
  // Read to its end, so that the connection is free.
  for await (const _ of body);
}

export async function postJson(
  server: UpstreamServer,
  path: string,
  body: object | readonly Uint8Array[],
  call: ServerCall,
): Promise<unknown> {
  const pieces = isPieces(body) ? body : [Buffer.from(JSON.stringify(body))];
  const headers = { ...call.headers, 'content-type': 'application/json' };
  const request: ServerRequest = { ...call, headers, method: 'POST', path, body: pieces };
  return await readJson(await server.ask(request), server.url + path);
}

function isPieces(body: object | readonly Uint8Array[]): body is readonly Uint8Array[] {
  return Array.isArray(body);
}

/** Throws `upstream_invalid` for what is no JSON. */
async function readJson(response: ServerResponse, where: string): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw invalid(`${where} answered with more than ${MAX_ANSWER_BYTES} bytes.`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (cause) {
    throw invalid(`${where} did not answer with JSON.`, cause);
  }
}

function invalid(message: string, cause?: unknown): PreambleError {
  return new PreambleError('upstream_invalid', message, { action: 'Check the URL.', cause });
}
