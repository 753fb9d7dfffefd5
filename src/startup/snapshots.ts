import type { Backend } from '../backends/backend.ts';
import type { Snapshot } from '../gateway.ts';

export interface Snapshots {
  current(): Snapshot;
  hold(): Snapshot;
  release(snapshot: Snapshot): void;
  /** Requests from now on get the new one. */
  replace(next: Omit<Snapshot, 'generation'>): void;
  /** Those of the current snapshot, and those that requests under way still use. */
  backends(): Set<Backend>;
}

/** Counts which requests use which snapshot. `onUnused` is called once for a backend that neither the current one nor any of those names. */
export function createSnapshots(
  first: Omit<Snapshot, 'generation'>,
  onUnused: (backend: Backend) => void = () => {},
): Snapshots {
  let current: Snapshot = { generation: 1, ...first };
  const holders = new Map<Snapshot, number>([[current, 0]]);

  const inUse = () => new Set([...holders.keys()].flatMap(({ backends }) => [...backends.values()]));
  const retire = (snapshot: Snapshot) => {
    holders.delete(snapshot);
    const used = inUse();
    for (const backend of new Set(snapshot.backends.values())) if (!used.has(backend)) onUnused(backend);
  };

  return {
    current: () => current,
    hold() {
      holders.set(current, (holders.get(current) ?? 0) + 1);
      return current;
    },
    release(snapshot) {
      const left = (holders.get(snapshot) ?? 0) - 1;
      holders.set(snapshot, left);
      if (left === 0 && snapshot !== current) retire(snapshot);
    },
    replace(next) {
      const previous = current;
      current = { generation: previous.generation + 1, ...next };
      holders.set(current, 0);
      if (holders.get(previous) === 0) retire(previous);
    },
    backends: inUse,
  };
}
