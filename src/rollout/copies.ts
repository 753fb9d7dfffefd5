import type { Outcome } from './outcome.ts';

/** Answers a copy of a request with the candidate in front; null where nothing can be said of it. Never rejects. */
export type MakeCopy = (signal: AbortSignal) => Promise<Outcome | null>;

/** Copies under way at a time, of one gateway. They take the model servers' time, and must not take it from those who wait. */
const MAX_COPIES = 8;

export interface Copies {
  /** Keeps how a copy of this request is made, until {@link take}. */
  offer(requestId: string, make: MakeCopy): void;
  take(requestId: string): MakeCopy | null;
  /** False where too many are under way: it is not made, now or later. */
  run(make: MakeCopy, done: (outcome: Outcome | null) => void): boolean;
  /** Breaks off what is under way. */
  stop(): void;
}

/** Copies begin when the client's own answer has ended, so that nobody waits for one. */
export function createCopies(): Copies {
  const offered = new Map<string, MakeCopy>();
  const stopping = new AbortController();
  let underWay = 0;
  return {
    offer: (requestId, make) => void offered.set(requestId, make),
    take(requestId) {
      const make = offered.get(requestId) ?? null;
      offered.delete(requestId);
      return make;
    },
    run(make, done) {
      if (stopping.signal.aborted || underWay >= MAX_COPIES) return false;
      underWay++;
      void make(stopping.signal)
        .then(done)
        .finally(() => {
          underWay--;
        });
      return true;
    },
    stop: () => stopping.abort(),
  };
}
