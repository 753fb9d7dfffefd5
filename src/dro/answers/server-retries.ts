import { isPassing } from '../../backends/upstream/errors.ts';
import { PreambleError } from '../../errors.ts';

const MAX_WAIT_MS = 30_000;

const CHECK_SETTINGS = 'Check its address, the key and the name of the model.';

/** The server is away, silent, has too much to do, or failed within: the same question may be answered later. */
export function isWorthTryingAgain(error: unknown): boolean {
  if (!(error instanceof PreambleError)) return false;
  return isPassing(error) || (error.code === 'upstream_error' && error.status >= 500);
}

/** Milliseconds: as long as the server says, else twice as long as the time before. */
export function waitBefore(error: unknown, attempt: number, firstWaitMs: number): number {
  const asked = error instanceof PreambleError ? Number(error.relayed?.headers['retry-after']) : 0;
  const wait = asked > 0 ? asked * 1000 : firstWaitMs * 2 ** (attempt - 1);
  return Math.min(MAX_WAIT_MS, wait);
}

/** The error as whoever runs a command needs it: which server, how often it was tried. */
export function explained(error: unknown, url: string, attempts: number): unknown {
  if (!(error instanceof PreambleError) || !error.code.startsWith('upstream_')) return error;
  const reason = error.message.replace(/\.$/, '');
  const tried = attempts > 1 ? `, tried ${attempts} times` : '';
  return new PreambleError(error.code, `${reason} (${new URL(url).origin}${tried}).`, {
    action: isWorthTryingAgain(error) ? 'Check that the server runs.' : (error.action ?? CHECK_SETTINGS),
    ...(error.relayed === undefined ? {} : { relayed: error.relayed }),
    cause: error,
  });
}
