import { PreambleError } from '../errors.ts';

export interface Interrupt {
  /** Aborted by the first SIGINT or SIGTERM, with a PreambleError `cancelled`. */
  readonly signal: AbortSignal;
  /** Gives the process back its own handling. */
  forget(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** For a command that keeps what it has: the first Ctrl-C lets it end in order, the second ends the process at once. */
export function onInterrupt(): Interrupt {
  const abort = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    if (abort.signal.aborted) {
      // As a signal that nobody handles: `process.exit` would wait for threads in the middle of a computation.
      forget();
      process.kill(process.pid, signal);
      return;
    }
    abort.abort(new PreambleError('cancelled', 'Stopped.'));
  };
  const forget = () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return { signal: abort.signal, forget };
}
