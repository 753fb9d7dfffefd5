/** Steps that the event loop may be behind: enough that the engine never waits for one that keeps up. */
const MAX_AHEAD = 32;

export interface Pace {
  /** A step's tokens have been sent. */
  sent(): void;
  /** They have been taken. */
  taken(): void;
  /** Resolves when no more than {@link MAX_AHEAD} are on the way. */
  wait(): Promise<void>;
}

/**
 * Keeps the engine's thread from running ahead of an event loop that is busy. Node hands over all messages that are there before it looks
 * at sockets: with ever more of them, it would not see that a client has gone.
 */
export function createPace(maxAhead: number = MAX_AHEAD): Pace {
  let ahead = 0;
  let resume: (() => void) | null = null;
  return {
    sent() {
      ahead++;
    },
    taken() {
      ahead--;
      if (ahead >= maxAhead) return;
      resume?.();
      resume = null;
    },
    async wait() {
      if (ahead < maxAhead) return;
      await new Promise<void>((resolve) => {
        resume = resolve;
      });
    },
  };
}
