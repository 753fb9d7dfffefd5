import { type ErrorCode, errorTable, PreambleError, toError } from '../errors.ts';
import type { WorkerFailure } from './messages.ts';

export function toFailure(thrown: unknown): WorkerFailure {
  const error = toError(thrown);
  return {
    code: error instanceof PreambleError ? error.code : null,
    message: error.message,
    action: error instanceof PreambleError ? (error.action ?? null) : null,
    stack: error.stack ?? null,
  };
}

/** The error as it was before it crossed threads; an unforeseen one becomes `internal` with the original as its cause. */
export function fromFailure(failure: WorkerFailure): PreambleError {
  const details = failure.action === null ? {} : { action: failure.action };
  if (isErrorCode(failure.code)) return new PreambleError(failure.code, failure.message, details);
  const cause = new Error(failure.message);
  if (failure.stack !== null) cause.stack = failure.stack;
  return new PreambleError('internal', 'The engine failed', { cause });
}

function isErrorCode(code: string | null): code is ErrorCode {
  return code !== null && code in errorTable;
}
