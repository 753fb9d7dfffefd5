import type { Logger } from 'pino';

export interface ProcessWatch {
  /** Resolves with the first SIGTERM's or SIGINT's name; a second one ends the process at once. */
  readonly stopped: Promise<NodeJS.Signals>;
  /** Gives the process back its own handling. */
  forget(): void;
}

/** Signals and faults of the whole process. What nobody caught has left unknown state behind: it is logged, and the process ends. */
export function watchProcess(logger: Logger): ProcessWatch {
  let resolveStopped: (signal: NodeJS.Signals) => void = () => {};
  let seen = false;
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    resolveStopped = resolve;
  });
  const onSignal = (signal: NodeJS.Signals) => {
    if (seen) {
      // The signal's own way to end a process: `process.exit` unwinds the engine's thread, and its native code aborts in mid-computation.
      process.off(signal, onSignal);
      process.kill(process.pid, signal);
      return;
    }
    seen = true;
    resolveStopped(signal);
  };
  const onFault = (error: unknown) => {
    logger.fatal({ err: error }, 'uncaught error');
    process.exit(1);
  };
  const handlers = [
    ['SIGTERM', onSignal],
    ['SIGINT', onSignal],
    ['uncaughtException', onFault],
    ['unhandledRejection', onFault],
  ] as const;
  for (const [event, handler] of handlers) process.on(event, handler);
  return {
    stopped,
    forget() {
      for (const [event, handler] of handlers) process.off(event, handler);
    },
  };
}
