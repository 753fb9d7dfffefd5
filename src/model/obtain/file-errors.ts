import { PreambleError, toError } from '../../errors.ts';

/** The system's error code of a failed call (`ENOSPC`, `ENOTFOUND`), looked up through the chain of causes. */
export function systemCode(thrown: unknown): string | undefined {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if (!(error instanceof PreambleError) && 'code' in error && typeof error.code === 'string') return error.code;
  }
  return undefined;
}

/** EDQUOT is a disk quota's ENOSPC. */
const FULL = new Set(['ENOSPC', 'EDQUOT']);
/** ENOTDIR and EEXIST: a file stands where a folder should; ENOENT: the kernel refuses to make one there. */
const UNWRITABLE = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOTDIR',
  'EEXIST',
  'EISDIR',
  'ENOENT',
  'ELOOP',
  'ENAMETOOLONG',
]);

/** Turns a failed write below the cache `directory` into one line that says what to do; other errors come back as they were. */
export function writeError(thrown: unknown, directory: string): Error {
  const error = toError(thrown);
  const code = systemCode(error);
  if (code !== undefined && FULL.has(code)) return diskFull(directory, error);
  if (error instanceof PreambleError) return error;
  if (code !== undefined && UNWRITABLE.has(code)) {
    return new PreambleError('file_unwritable', `The model cache ${directory} cannot be written (${code}).`, {
      action: 'Make that folder writable, or set PREAMBLE_CACHE to one that is.',
      cause: error,
    });
  }
  return error;
}

export function diskFull(directory: string, cause: unknown): PreambleError {
  return new PreambleError('file_unwritable', `The disk that holds ${directory} is full.`, {
    action:
      'Free space there and start again (what came so far is kept), or set PREAMBLE_CACHE to a folder on another disk.',
    cause,
  });
}

/** Runs `work`, whose file writes all lie below `directory`. */
export async function writingTo<Result>(directory: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw writeError(error, directory);
  }
}

export function cancelled(signal: AbortSignal): PreambleError {
  return new PreambleError('cancelled', 'Fetching the model was stopped.', {
    action: 'Start again to go on where it stopped.',
    cause: signal.reason,
  });
}
