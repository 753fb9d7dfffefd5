export interface RunningStream {
  token(): void;
  end(): void;
  gone(): boolean;
}

/** Node's timers keep whole milliseconds. */
const TICK_MS = 1;

/**
 * Gives each stream its tokens, one every `intervalMs`, each stream at its own phase: a server's batches differ in phase too, and a
 * thousand writes in one moment would measure the burst. A clock that was held up gives what is due, and loses nothing.
 */
export function createStreamClock(intervalMs: number) {
  interface Entry {
    readonly stream: RunningStream;
    left: number;
    due: number;
  }
  const running = new Set<Entry>();

  setInterval(() => {
    const now = performance.now();
    for (const entry of running) {
      while (entry.due <= now) {
        if (entry.stream.gone()) {
          running.delete(entry);
          break;
        }
        entry.due += intervalMs;
        if (entry.left-- > 0) entry.stream.token();
        else {
          running.delete(entry);
          entry.stream.end();
          break;
        }
      }
    }
  }, TICK_MS).unref();

  return {
    start(tokens: number, stream: RunningStream): void {
      running.add({ stream, left: tokens, due: performance.now() + intervalMs });
    },
  };
}
