import { isDeepStrictEqual } from 'node:util';
import type { Backend } from '../backends/backend.ts';
import type { Config } from '../config/schema.ts';
import { type BackendSurroundings, createBackend } from './create-backend.ts';

export interface NextBackends {
  /** By configured name. */
  readonly all: ReadonlyMap<string, Backend>;
  /** Names of those that are new, and have still to become ready. */
  readonly fresh: ReadonlySet<string>;
}

/** A backend for each model of `config`: the running one where it is set up the same, else a new one. */
export function nextBackends(
  config: Config,
  running: { readonly config: Config; readonly backends: ReadonlyMap<string, Backend> } | null,
  surroundings: BackendSurroundings,
): NextBackends {
  const all = new Map<string, Backend>();
  const fresh = new Set<string>();
  for (const [name, { backend: settings }] of Object.entries(config.models)) {
    const same = isDeepStrictEqual(settings, running?.config.models[name]?.backend);
    const kept = same ? running?.backends.get(name) : undefined;
    if (kept === undefined) fresh.add(name);
    all.set(name, kept ?? createBackend(name, settings, surroundings));
  }
  return { all, fresh };
}
