import { PreambleError, toError } from '../../errors.ts';
import { isObject } from '../../openai/validate.ts';
import { faultType } from './fault-type.ts';
import { type HeaderValues, passedHeaders } from './headers.ts';

/** Characters of a server's message that go on: enough for a sentence or two, too few for a request that it quotes. */
const MAX_MESSAGE = 500;
const MAX_CODE = 80;
/** Longer than any word. */
const BASE64 = /[A-Za-z0-9+/_-]{64,}={0,2}/g;
/** Python's, where it was put on one line. */
const STACK_TRACE = /\bTraceback \(most recent|\bFile "[^"]*", line \d/;

/** A model server's error answer, in OpenAI's shape and with its status, whatever shape it came in. */
export function upstreamError(status: number, headers: HeaderValues, body: string): PreambleError {
  const fault = readFault(body);
  const message = fault.message ?? `The model server answered with status ${status}.`;
  return new PreambleError('upstream_error', message, {
    ...(fault.param === null ? {} : { param: fault.param }),
    relayed: { status, type: fault.type, code: fault.code, headers: passedRetryHeaders(headers) },
  });
}

/** What went wrong on the way to or from a model server. */
export function transportError(thrown: unknown, signal: AbortSignal): PreambleError {
  if (signal.aborted && signal.reason instanceof PreambleError) return signal.reason;
  const error = toError(thrown);
  if (error instanceof PreambleError) return error;
  if (error.name === 'TimeoutError') return timedOut('The model server did not answer in time.', error);
  switch (codeOf(error)) {
    case 'UND_ERR_ABORTED':
      return new PreambleError('cancelled', 'The request was cancelled.', { cause: error });
    case 'UND_ERR_CONNECT_TIMEOUT':
      return unreachable(error);
    case 'UND_ERR_HEADERS_TIMEOUT':
      return timedOut('The model server did not begin to answer in time.', error);
    case 'UND_ERR_BODY_TIMEOUT':
      return timedOut('The model server fell silent in the middle of the answer.', error);
    case 'ECONNREFUSED':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return unreachable(error);
    default:
      return new PreambleError('upstream_broken', 'The connection to the model server broke off.', {
        action: 'Try again.',
        cause: error,
      });
  }
}

/** Whether another server may be asked: generation has no side effects, and nothing of an answer has come. A time-out is not tried twice. */
export function isRetryable(error: PreambleError): boolean {
  if (error.code === 'upstream_error') {
    const status = error.relayed?.status;
    // 504 is a time-out of a proxy between.
    return status !== undefined && status !== 504 && isServerAway(status);
  }
  return error.code === 'upstream_unreachable' || error.code === 'upstream_broken';
}

/** Whether the same question may be answered later: the server is away, silent, or has too much to do. */
export function isPassing(error: PreambleError): boolean {
  if (error.code === 'upstream_error') return isServerAway(error.status) || error.status === 429;
  return error.code === 'upstream_timed_out' || isRetryable(error);
}

/** Statuses by which a server, or a proxy in front, says that it is not there. */
export function isServerAway(status: number): boolean {
  return status === 502 || status === 503 || status === 504;
}

function unreachable(cause: Error): PreambleError {
  return new PreambleError('upstream_unreachable', 'The model server cannot be reached.', {
    action: 'Try again.',
    cause,
  });
}

function timedOut(message: string, cause: Error): PreambleError {
  return new PreambleError('upstream_timed_out', message, { action: 'Try again.', cause });
}

function codeOf(error: Error): unknown {
  if ('code' in error) return error.code;
  return error.cause instanceof Error ? codeOf(error.cause) : undefined;
}

interface Fault {
  readonly message: string | null;
  readonly type: string | null;
  readonly param: string | null;
  readonly code: string | null;
}

/** OpenAI's `{error: {…}}`, vLLM's older `{object: "error", …}`, FastAPI's `{detail: …}`, TGI's `{error: …, error_type: …}`, or text. */
function readFault(body: string): Fault {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { message: null, type: null, param: null, code: null };
  }
  const error = isObject(value) ? (isObject(value['error']) ? value['error'] : value) : {};
  const spoken = error['message'] ?? error['detail'] ?? (isObject(value) ? value['error'] : undefined);
  const kind = shortText(error['error_type']);
  const code = error['code'] ?? kind;
  return {
    message: typeof spoken === 'string' ? oneLine(spoken) : null,
    type: shortText(error['type']) ?? (kind === null ? null : faultType(kind)),
    param: shortText(error['param']),
    // vLLM repeats the status there.
    code: typeof code === 'number' ? null : shortText(code),
  };
}

/** The first line: what follows is a stack trace, or the request. */
function oneLine(message: string): string | null {
  const [line = ''] = message.trim().split('\n', 1);
  const [told = ''] = line.split(STACK_TRACE, 1);
  const text = withoutRows(told).trim();
  if (text === '') return null;
  return text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}…` : text;
}

function shortText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? withoutRows(value).slice(0, MAX_CODE) : null;
}

/** vLLM quotes what it could not take, the first 200 characters of a soft prompt's rows too. */
function withoutRows(text: string): string {
  return text.replace(BASE64, '…');
}

function passedRetryHeaders(headers: HeaderValues): Record<string, string> {
  const { 'content-type': _, ...passed } = passedHeaders(headers);
  return Object.fromEntries(Object.entries(passed).map(([name, value]) => [name, [value].flat().join(', ')]));
}
