export interface HealthSettings {
  /** Failures in a row after which a server gets no more requests. */
  readonly failures: number;
  readonly ejectSeconds: number;
  readonly slowStartSeconds: number;
}

/** What one server's requests and probes say of it. Times are milliseconds on `performance.now()`'s clock. */
export interface ServerHealth {
  succeeded(): void;
  /** A fault of the server's own: unreachable, broken off, 502 to 504. Not a 500, which a request could provoke. */
  failed(reason: string, now: number): void;
  /** A probe went well: an ejected server comes back once its time is over. */
  probed(now: number): void;
  /** Whether it gets requests. */
  accepts(): boolean;
  /** 0 to 1: how much of its share it gets; less than 1 while it starts anew, when its caches are empty. */
  weight(now: number): number;
  /** Why it gets none; null when it does. */
  problem(): string | null;
}

/** Sixteen-fold: a server that is away for an hour is asked every few minutes at most. */
const MAX_DOUBLINGS = 4;
/** What a server begins with; none at all would never show whether it is well. */
const FIRST_SHARE = 0.1;
/** A server that has been well for this many times its longest ejection begins with a clean record. */
const MILLISECONDS = 1000;

export function createServerHealth(settings: HealthSettings): ServerHealth {
  let failures = 0;
  let ejections = 0;
  let ejectedUntil: number | null = null;
  let returnedAt: number | null = null;
  let reason: string | null = null;

  return {
    succeeded() {
      failures = 0;
      ejections = 0;
    },
    failed(why, now) {
      failures++;
      if (failures < settings.failures && ejectedUntil === null) return;
      const doublings = Math.min(ejections, MAX_DOUBLINGS);
      if (ejectedUntil === null) ejections++;
      ejectedUntil = now + settings.ejectSeconds * MILLISECONDS * 2 ** doublings;
      reason = why;
    },
    probed(now) {
      if (ejectedUntil === null) {
        failures = 0;
        return;
      }
      if (now < ejectedUntil) return;
      ejectedUntil = null;
      reason = null;
      // One more failure ejects it again.
      failures = settings.failures - 1;
      returnedAt = now;
    },
    accepts: () => ejectedUntil === null,
    weight(now) {
      if (ejectedUntil !== null) return 0;
      if (returnedAt === null) return 1;
      const share = (now - returnedAt) / (settings.slowStartSeconds * MILLISECONDS);
      return Math.min(1, FIRST_SHARE + (1 - FIRST_SHARE) * share);
    },
    problem: () => reason,
  };
}
