import { PreambleError } from '../../errors.ts';
import type { RedisConnection } from '../connection.ts';
import { changeText } from '../replace.ts';
import { type Alias, MAX_ALIAS_BYTES, parseAlias } from './alias.ts';

export interface RedisAliases {
  /** Null where nothing was promoted. Throws `prompt_invalid`, `redis_unavailable`. */
  read(name: string): Promise<Alias | null>;
  /** Replaces it by what `step` makes of it, at once for all gateways; `step` is called anew where somebody else was faster. */
  change(name: string, step: (alias: Alias | null) => Alias): Promise<Alias>;
}

export function redisAliases(redis: RedisConnection): RedisAliases {
  const { keys, run } = redis;
  /** One byte more than the most is enough to see that it is too long. */
  const readText = (name: string) => run((client) => client.getrange(keys.alias(name), 0, MAX_ALIAS_BYTES));
  const parse = (text: string, name: string) => (text === '' ? null : parseAlias(text, name));
  return {
    read: async (name) => parse(await readText(name), name),
    async change(name, step) {
      return await changeText(redis, {
        key: keys.alias(name),
        message: name,
        readText: () => readText(name),
        parse: (text) => parse(text, name),
        step,
        busy: () =>
          new PreambleError('prompt_invalid', `The alias of ${name} changes all the time.`, {
            action: 'See who else promotes it, and try again.',
          }),
      });
    },
  };
}
