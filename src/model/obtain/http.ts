import { type Dispatcher, EnvHttpProxyAgent, fetch, type Response } from 'undici';
import { PreambleError } from '../../errors.ts';
import { systemCode } from './file-errors.ts';

/** A hub that is there answers a handshake in well under a second; a network without one should cost seconds, not half a minute. */
const CONNECT_TIMEOUT_MS = 4_000;
/** The hub's redirect to its storage takes up to a few seconds. */
const HEADERS_TIMEOUT_MS = 20_000;
/** Longest silence within a body before the transfer is cut and resumed. */
const SILENCE_TIMEOUT_MS = 30_000;

/**
 * An HTTP client that honours http_proxy, https_proxy and no_proxy. Destroy it after use.
 * `maxResponseBytes` breaks off longer answers, where the caller does not count them itself.
 */
export function openHttp(maxResponseBytes = -1): Dispatcher {
  return new EnvHttpProxyAgent({
    maxResponseSize: maxResponseBytes,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: HEADERS_TIMEOUT_MS,
    bodyTimeout: SILENCE_TIMEOUT_MS,
  });
}

/** Nothing was reached: trying the same again at once cannot help. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/** The answer broke off, or the server asked to come back later: going on from the bytes received can help. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/** Codes of a connection that was once there. Everything else that fetch throws (DNS, refusal, timeout, TLS) means unreachable. */
const BROKEN_OFF = new Set([
  'ECONNRESET',
  'EPIPE',
  'UND_ERR_SOCKET',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
]);

/** GET. Throws UnreachableError, InterruptedError, or `model_unavailable` for a status that is final. */
export async function get(
  url: string,
  headers: Record<string, string>,
  dispatcher: Dispatcher,
  signal: AbortSignal | undefined,
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { headers, dispatcher, ...(signal ? { signal } : {}) });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw networkError(error, url);
  }
  if (response.ok || response.status === 416) return response;
  await response.body?.cancel();
  throw statusError(response.status, url);
}

export function networkError(error: unknown, url: string): Error {
  const code = systemCode(error);
  const { host } = new URL(url);
  const reason = code ?? (error instanceof Error ? error.message : String(error));
  if (code !== undefined && BROKEN_OFF.has(code))
    return new InterruptedError(`${host} broke off (${reason})`, { cause: error });
  return new UnreachableError(`${host} cannot be reached (${reason})`, { cause: error });
}

/** 408, 429 and 5xx pass; the rest will not change by asking again. */
export function statusError(status: number, url: string): Error {
  const { host } = new URL(url);
  if (status === 408 || status === 429 || status >= 500) return new InterruptedError(`${host} answered ${status}`);
  if (status === 401 || status === 403) {
    return new PreambleError('model_unavailable', `${host} refused access to the model (${status}).`, {
      action: 'Check its name; for a gated model accept its terms on the hub and set HF_TOKEN.',
    });
  }
  return new PreambleError('model_unavailable', `${host} does not have ${new URL(url).pathname} (${status}).`, {
    action: 'Check the name of the model.',
  });
}
