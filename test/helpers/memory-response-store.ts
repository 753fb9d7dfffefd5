import { type ResponseStore, readResponseState } from '../../src/openai/responses/store.ts';

export interface MemoryResponseStore extends ResponseStore {
  readonly kept: ReadonlyMap<string, string>;
}

/** Keeps states as JSON, as a store on another machine would. */
export function createMemoryResponseStore(): MemoryResponseStore {
  const kept = new Map<string, string>();
  const keyOf = (tenantId: string, id: string) => JSON.stringify([tenantId, id]);
  return {
    kept,
    async save(tenantId, id, state) {
      kept.set(keyOf(tenantId, id), JSON.stringify(state));
    },
    async load(tenantId, id) {
      const json = kept.get(keyOf(tenantId, id));
      return json === undefined ? null : readResponseState(JSON.parse(json));
    },
    remove: async (tenantId, id) => kept.delete(keyOf(tenantId, id)),
  };
}
