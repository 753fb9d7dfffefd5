export interface HealthSettings {
  /** Failures in a row after which a server gets no more requests. */
  readonly failures: number;
  readonly ejectSeconds: number;
  readonly slowStartSeconds: number;
}

/** What one server's requests and probes say of it. Times are milliseconds on `performance.now()`'s clock. */
export interface ServerHealth {
  /** A request was answered to its end. */
  succeeded(): void;
  /** A fault of the server's own: unreachable, broken off, 502 to 504. Not a 500, which a request could provoke. */
  failed(reason: string, now: number): void;
  /** A probe went wrong. Counted by itself: a server can list its models and answer nothing. */
  probeFailed(reason: string, now: number): void;
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
const MILLISECONDS = 1000;

export function createServerHealth(settings: HealthSettings): ServerHealth {
  const failures = { requests: 0, probes: 0 };
  let ejections = 0;
  let ejectedUntil: number | null = null;
  let returnedAt: number | null = null;
  let reason: string | null = null;

  function count(kind: keyof typeof failures, why: string, now: number): void {
    failures[kind]++;
    if (failures[kind] < settings.failures && ejectedUntil === null) return;
    const doublings = Math.min(ejections, MAX_DOUBLINGS);
    if (ejectedUntil === null) ejections++;
    ejectedUntil = now + settings.ejectSeconds * MILLISECONDS * 2 ** doublings;
    reason = why;
  }

  return {
    succeeded() {
      failures.requests = 0;
      ejections = 0;
    },
    failed: (why, now) => count('requests', why, now),
    probeFailed: (why, now) => count('probes', why, now),
    probed(now) {
      if (ejectedUntil === null) {
        failures.probes = 0;
        return;
      }
      if (now < ejectedUntil) return;
      ejectedUntil = null;
      reason = null;
      // One more failure ejects it again.
      failures.requests = failures.probes = settings.failures - 1;
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
