import type { Backend } from './backend.ts';

export interface Readiness {
  /** Why requests can't be answered now, one sentence a model; empty when all is ready. */
  reasons(): string[];
  /** Begins to load. Resolves when every backend is ready; rejects with the first failure. */
  begin(): Promise<void>;
}

/** Follows backends from start to readiness; `check` is what else must hold before a model is served. */
export function trackReadiness(
  backends: ReadonlyMap<string, Backend>,
  check: (name: string, backend: Backend) => Promise<void> = async () => {},
): Readiness {
  const states = new Map([...backends.keys()].map((name) => [name, `${name} is loading.`]));
  return {
    reasons: () =>
      [...backends].flatMap(([name, backend]) => {
        const problem = backend.problem();
        return problem === null ? (states.get(name) ?? []) : `${name}: ${problem}`;
      }),
    async begin() {
      await Promise.all(
        [...backends].map(async ([name, backend]) => {
          try {
            await backend.ready();
            await check(name, backend);
            states.delete(name);
          } catch (error) {
            states.set(name, `${name} can't be served.`);
            throw error;
          }
        }),
      );
    },
  };
}
