import { createHash } from 'node:crypto';
import type { RedisClient } from './client.ts';

/** A Lua script of one key: Redis runs it as one step. */
export interface RedisScript {
  readonly text: string;
  readonly sha1: string;
}

export function redisScript(text: string): RedisScript {
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}

/** One round trip where Redis has the script already, as it has after the first call; two after a restart. */
export async function runScript(
  client: RedisClient,
  script: RedisScript,
  key: string,
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await client.evalsha(script.sha1, 1, key, ...args);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return await client.eval(script.text, 1, key, ...args);
  }
}
