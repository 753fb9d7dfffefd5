import { type ResponseState, type ResponseStore, readResponseState } from '../openai/responses/store.ts';
import type { RedisConnection } from './connection.ts';

/** The longest conversation that is kept, 16 Mi characters, in UTF-8. */
const MAX_STATE_BYTES = 48 * 2 ** 20;
/** A long conversation has megabytes. */
const STATE_TIMEOUT_MS = 5_000;

/** Answers of `/v1/responses` as JSON, each forgotten `seconds` after it was given. Rejects with `redis_unavailable`. */
export function createRedisResponses({ keys, run }: RedisConnection, seconds: number): ResponseStore {
  return {
    async save(tenantId, id, state) {
      const key = keys.response(tenantId, id);
      await run((client) => client.set(key, JSON.stringify(state), 'EX', seconds), STATE_TIMEOUT_MS);
    },
    async load(tenantId, id) {
      const key = keys.response(tenantId, id);
      const text = await run((client) => client.getrange(key, 0, MAX_STATE_BYTES), STATE_TIMEOUT_MS);
      return text === '' ? null : parse(text);
    },
    async remove(tenantId, id) {
      return (await run((client) => client.del(keys.response(tenantId, id)))) > 0;
    },
  };
}

/** What is no state is as good as forgotten. */
function parse(text: string): ResponseState | null {
  try {
    const state: unknown = JSON.parse(text);
    return readResponseState(state);
  } catch {
    return null;
  }
}
