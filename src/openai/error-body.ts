import { describe, type ErrorCode, errorTable, PreambleError, type RelayedFault } from '../errors.ts';

export interface ErrorBody {
  error: { message: string; type: string; param: string | null; code: string | null };
}

export interface ErrorResponse {
  status: number;
  headers: Record<string, string>;
  body: ErrorBody;
}

/** Faults that pass by themselves, or on another replica: OpenAI's client libraries try again when told so by `x-should-retry`. */
const PASSING: readonly ErrorCode[] = [
  'rate_limit_exceeded',
  'queue_full',
  'not_ready',
  'shutting_down',
  'limits_unavailable',
  'upstream_unreachable',
  'upstream_broken',
];
/** RFC 7617: what makes a browser ask for the operators' password. */
const OPERATORS = 'Basic realm="Preamble", charset="UTF-8"';
/** OpenAI's client libraries sleep for as long as `retry-after` says, within the caller's call. Longer than this it is better to fail. */
const LONGEST_RETRY_SECONDS = 60;

/** What a client may read of these; the others' messages name files and settings of the operator's. */
const SPOKEN_FAULTS: readonly ErrorCode[] = [
  'not_ready',
  'shutting_down',
  'limits_unavailable',
  'prompt_unavailable',
  'timed_out',
  'upstream_unreachable',
  'upstream_invalid',
  'upstream_broken',
  'upstream_timed_out',
];

const INTERNAL_MESSAGE =
  'The server had an error while processing your request. The request id in x-request-id finds it in the log.';

/** Any thrown value as OpenAI's error answer. Nothing of an unforeseen error is shown: it belongs in the log. */
export function toErrorResponse(thrown: unknown): ErrorResponse {
  const error = toPreambleError(thrown);
  if (error.relayed !== undefined) return relayedResponse(error, error.relayed);
  const { status, type } = errorTable[error.code];
  const spoken = status < 500 || SPOKEN_FAULTS.includes(error.code);
  const message = spoken ? describe(error) : INTERNAL_MESSAGE;
  return {
    status,
    headers: headersFor(error, status),
    body: { error: { message, type, param: error.param ?? null, code: error.code } },
  };
}

/** A model server's own error: what it says is for the client, who may have caused it. */
function relayedResponse(error: PreambleError, { status, type, code, headers }: RelayedFault): ErrorResponse {
  const { message, param } = error;
  const kind = type ?? (status < 500 ? 'invalid_request_error' : 'server_error');
  return { status, headers: { ...headers }, body: { error: { message, type: kind, param: param ?? null, code } } };
}

function toPreambleError(thrown: unknown): PreambleError {
  if (thrown instanceof PreambleError) return thrown;
  if (!(thrown instanceof Error)) return new PreambleError('internal', INTERNAL_MESSAGE, { cause: thrown });
  if (thrown.name === 'AbortError')
    return new PreambleError('cancelled', 'The request was cancelled.', { cause: thrown });
  return fromFastify(thrown) ?? new PreambleError('internal', INTERNAL_MESSAGE, { cause: thrown });
}

/** Fastify's refusals by status; any other is `invalid_request`. */
const FASTIFY_FAULTS: Readonly<Record<number, { code: ErrorCode; action?: string }>> = {
  404: { code: 'not_found' },
  413: { code: 'body_too_large', action: 'Send a smaller one.' },
  // A content-type that is no media type at all; the others are refused by our own parser.
  415: { code: 'unsupported_media_type', action: 'Send JSON with content-type application/json.' },
};

/** Fastify's own refusals of a request (`FST_…`, 4xx) are about the request alone, and their messages are for the client. */
function fromFastify(error: Error): PreambleError | null {
  if (!('code' in error && typeof error.code === 'string' && error.code.startsWith('FST_'))) return null;
  if (!('statusCode' in error && typeof error.statusCode === 'number')) return null;
  const { statusCode, message } = error;
  if (statusCode < 400 || statusCode >= 500) return null;
  const { code, ...details } = FASTIFY_FAULTS[statusCode] ?? { code: 'invalid_request' };
  return new PreambleError(code, message, { ...details, cause: error });
}

function headersFor(error: PreambleError, status: number): Record<string, string> {
  const headers: Record<string, string> = {};
  if (error.retryAfterSeconds !== undefined)
    headers['retry-after'] = String(Math.max(1, Math.ceil(error.retryAfterSeconds)));
  if (status === 401) headers['www-authenticate'] = error.code === 'invalid_password' ? OPERATORS : 'Bearer';
  if (PASSING.includes(error.code)) {
    headers['x-should-retry'] = String((error.retryAfterSeconds ?? 0) <= LONGEST_RETRY_SECONDS);
  }
  // A wrong file or setting is as wrong a second later.
  else if (status >= 500 && error.code !== 'internal') headers['x-should-retry'] = 'false';
  return headers;
}
