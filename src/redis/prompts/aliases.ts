import { PreambleError } from '../../errors.ts';
import type { RedisConnection } from '../connection.ts';
import { redisScript, runScript } from '../script.ts';
import { type Alias, MAX_ALIAS_BYTES, parseAlias } from './alias.ts';

/** Two people who promote at the same moment meet once; more often than this something else is wrong. */
const MAX_ATTEMPTS = 5;

/** Sets the alias if it is still what it was when it was read, and tells the gateways, in one step. */
const REPLACE = redisScript(`
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1`);

export interface RedisAliases {
  /** Null where nothing was promoted. Throws `prompt_invalid`, `redis_unavailable`. */
  read(name: string): Promise<Alias | null>;
  /** Replaces it by what `step` makes of it, at once for all gateways; `step` is called anew where somebody else was faster. */
  change(name: string, step: (alias: Alias | null) => Alias): Promise<Alias>;
}

export function redisAliases({ keys, run }: RedisConnection): RedisAliases {
  /** One byte more than the most is enough to see that it is too long. */
  const readText = (name: string) => run((client) => client.getrange(keys.alias(name), 0, MAX_ALIAS_BYTES));
  const parse = (text: string, name: string) => (text === '' ? null : parseAlias(text, name));
  return {
    read: async (name) => parse(await readText(name), name),
    async change(name, step) {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const text = await readText(name);
        const before = parse(text, name);
        const after = step(before);
        if (after === before) return after;
        const args = [text, JSON.stringify(after), keys.changes, name];
        if ((await run((client) => runScript(client, REPLACE, keys.alias(name), args))) === 1) return after;
      }
      throw new PreambleError('prompt_invalid', `The alias of ${name} changes all the time.`, {
        action: 'See who else promotes it, and try again.',
      });
    },
  };
}
