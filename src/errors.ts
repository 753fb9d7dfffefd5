/**
 * Every error that Preamble raises on purpose: its code, the HTTP status and the OpenAI error type that a client sees.
 * A message says what happened, `action` what to do about it; both fit one line.
 */
export const errorTable = {
  // what a client sent
  invalid_request: { status: 400, type: 'invalid_request_error' },
  context_length_exceeded: { status: 400, type: 'invalid_request_error' },
  unsupported_parameter: { status: 400, type: 'invalid_request_error' },
  invalid_api_key: { status: 401, type: 'invalid_request_error' },
  invalid_password: { status: 401, type: 'invalid_request_error' },
  model_not_found: { status: 404, type: 'invalid_request_error' },
  not_found: { status: 404, type: 'invalid_request_error' },
  method_not_allowed: { status: 405, type: 'invalid_request_error' },
  body_too_large: { status: 413, type: 'invalid_request_error' },
  unsupported_media_type: { status: 415, type: 'invalid_request_error' },
  // what the gateway could not do for it
  rate_limit_exceeded: { status: 429, type: 'rate_limit_error' },
  queue_full: { status: 429, type: 'rate_limit_error' },
  cancelled: { status: 499, type: 'cancelled' },
  shutting_down: { status: 503, type: 'server_error' },
  not_ready: { status: 503, type: 'server_error' },
  limits_unavailable: { status: 503, type: 'server_error' },
  prompt_unavailable: { status: 503, type: 'server_error' },
  redis_unavailable: { status: 503, type: 'server_error' },
  timed_out: { status: 504, type: 'server_error' },
  upstream_error: { status: 502, type: 'server_error' },
  upstream_unreachable: { status: 502, type: 'server_error' },
  upstream_invalid: { status: 502, type: 'server_error' },
  upstream_broken: { status: 502, type: 'server_error' },
  upstream_timed_out: { status: 504, type: 'server_error' },
  internal: { status: 500, type: 'server_error' },
  // files and settings, seen by the operator
  config_invalid: { status: 500, type: 'server_error' },
  address_in_use: { status: 500, type: 'server_error' },
  file_unreadable: { status: 500, type: 'server_error' },
  file_unwritable: { status: 500, type: 'server_error' },
  format_invalid: { status: 500, type: 'server_error' },
  model_unsupported: { status: 500, type: 'server_error' },
  model_unavailable: { status: 500, type: 'server_error' },
  digest_mismatch: { status: 500, type: 'server_error' },
  prompt_not_found: { status: 500, type: 'server_error' },
  prompt_invalid: { status: 500, type: 'server_error' },
  prompt_mismatch: { status: 500, type: 'server_error' },
  training_failed: { status: 500, type: 'server_error' },
  training_diverged: { status: 500, type: 'server_error' },
  anchors_invalid: { status: 500, type: 'server_error' },
  device_unavailable: { status: 500, type: 'server_error' },
  memory_short: { status: 500, type: 'server_error' },
  no_refusal_direction: { status: 500, type: 'server_error' },
  rollout_invalid: { status: 500, type: 'server_error' },
} as const satisfies Record<string, { status: number; type: string }>;

export type ErrorCode = keyof typeof errorTable;

export interface ErrorDetails {
  /** What the reader can do, one sentence. */
  action?: string;
  /** The request field at fault, as OpenAI's `param`. */
  param?: string;
  /** Seconds after which trying again makes sense; becomes `retry-after`. */
  retryAfterSeconds?: number;
  /** A model server's own error answer, which the client gets instead of this code's. */
  relayed?: RelayedFault;
  cause?: unknown;
}

export interface RelayedFault {
  readonly status: number;
  /** Null where the server gave none. */
  readonly type: string | null;
  readonly code: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

export class PreambleError extends Error {
  override readonly name = 'PreambleError';
  readonly code: ErrorCode;
  readonly action: string | undefined;
  readonly param: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly relayed: RelayedFault | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.action = details.action;
    this.param = details.param;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.relayed = details.relayed;
  }

  get status(): number {
    return this.relayed?.status ?? errorTable[this.code].status;
  }
}

/** The message and what to do about it, on one line, for a terminal or an OpenAI error body. */
export function describe(error: PreambleError): string {
  return error.action === undefined ? error.message : `${error.message.replace(/\.$/, '')}. ${error.action}`;
}

export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
