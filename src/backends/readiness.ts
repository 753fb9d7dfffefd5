import type { Backend } from './backend.ts';

export interface Readiness {
  /** Why requests can't be answered now, one sentence a model; empty when all is ready. */
  reasons(): string[];
  /** What does not work now, though requests are answered; a sentence each. */
  degradations(): string[];
  isLoading(name: string): boolean;
  /** Begins to load. Resolves when every backend is ready; rejects with the first failure. */
  begin(): Promise<void>;
  /** Another backend, one that is ready, has taken the place of this one, or none: nobody waits for it any more. */
  forget(name: string): void;
}

/** Follows backends from start to readiness; `check` is what else must hold before a model is served. */
export function trackReadiness(
  backends: ReadonlyMap<string, Backend>,
  check: (name: string, backend: Backend) => Promise<void> = async () => {},
  degradations: () => string[] = () => [],
): Readiness {
  const states = new Map([...backends.keys()].map((name) => [name, `${name} is loading.`]));
  const forgotten = new Map([...backends.keys()].map((name) => [name, Promise.withResolvers<void>()]));

  const load = async (name: string, backend: Backend) => {
    try {
      await backend.ready();
      await check(name, backend);
      states.delete(name);
    } catch (error) {
      if (!states.has(name)) return;
      states.set(name, `${name} can't be served.`);
      throw error;
    }
  };

  return {
    reasons: () =>
      [...backends].flatMap(([name, backend]) => {
        const problem = backend.problem();
        return problem === null ? (states.get(name) ?? []) : `${name}: ${problem}`;
      }),
    degradations,
    isLoading: (name) => states.has(name),
    async begin() {
      await Promise.all(
        [...backends].map(([name, backend]) => Promise.race([load(name, backend), forgotten.get(name)?.promise])),
      );
    },
    forget(name) {
      states.delete(name);
      forgotten.get(name)?.resolve();
    },
  };
}
