/** What stands in front of one model's requests, change by change, and which gateway has been seen to follow how far. */
export interface Timeline {
  /** It may hold from this moment on. The returned function says that it does hold. */
  begin(version: string): () => void;
  /** What was begun last. */
  latest(): string;
  /**
   * A gateway has put `version` in front of a request that came at `startedAt`. Returns what is wrong with that, or null: a version that has
   * not been promoted, one that came back after the gateway had followed further, or one that is still applied long after its time.
   */
  applied(gateway: string, version: string | null, request: { startedAt: number; calmSince: number }): string | null;
  /** Longest time after which an old version was applied, seen while nothing was broken; milliseconds. */
  longestLag(): number;
}

interface Change {
  readonly version: string;
  readonly begunAt: number;
  confirmedAt: number | null;
}

/** Once everything is there again: five seconds until Redis is connected to, the promised second, and more for a full machine. */
const FOLLOW_MS = 20_000;

export function createTimeline(first: string): Timeline {
  const now = performance.now();
  const changes: Change[] = [{ version: first, begunAt: now, confirmedAt: now }];
  /** By gateway: up to which change it was seen to have followed, and when; the latest last. */
  const seen = new Map<string, { index: number; at: number }[]>();
  let longestLag = 0;

  /** The first change behind `index` that has held for long, while nothing was broken. */
  function overdue(index: number, startedAt: number, calmSince: number): Change | undefined {
    const old = changes[index]?.version;
    return changes.slice(index + 1).find(({ version, confirmedAt }) => {
      if (confirmedAt === null || version === old) return false;
      const lag = startedAt - Math.max(confirmedAt, calmSince);
      if (calmSince < confirmedAt) longestLag = Math.max(longestLag, lag);
      return lag > FOLLOW_MS;
    });
  }

  return {
    begin(version) {
      const change: Change = { version, begunAt: performance.now(), confirmedAt: null };
      changes.push(change);
      return () => {
        change.confirmedAt = performance.now();
      };
    },
    latest: () => changes.at(-1)?.version ?? first,
    applied(gateway, version, { startedAt, calmSince }) {
      if (version === null) return 'without a prompt that anybody made';
      const steps = seen.get(gateway) ?? [];
      // What was seen after the request had begun says nothing about it.
      const least = steps.findLast(({ at }) => at < startedAt)?.index ?? 0;
      const index = changes.findIndex((change, at) => at >= least && change.version === version);
      if (index < 0) {
        const known = changes.some((change) => change.version === version);
        return known ? `${version} came back after ${changes[least]?.version}` : `${version} was never promoted`;
      }
      if (index > (steps.at(-1)?.index ?? -1)) seen.set(gateway, [...steps, { index, at: performance.now() }]);
      const late = overdue(index, startedAt, calmSince);
      return late === undefined ? null : `${version} though ${late.version} has long been promoted`;
    },
    longestLag: () => longestLag,
  };
}
