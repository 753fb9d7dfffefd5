import type { Edit } from '../../formats/splice.ts';
import type { RequestText } from '../upstream/dialect.ts';
import type { SpelledPrompts } from './graft.ts';

const comma = Buffer.from(',');
const [open, close] = [Buffer.from('{'), Buffer.from('}')];
const named = Buffer.from('"logit_bias":{');
const ended = Buffer.from('},');

/** Puts the virtual tokens into a request's `logit_bias`, beside the client's own. */
export type Ban = (text: RequestText, request: object) => readonly Edit[];

/** `bias` in JSON: -100, OpenAI's least, or what a server has for never. The entries are made once, and sent by reference. */
export function createBan({ ids }: SpelledPrompts, bias: '-100' | 'false'): Ban {
  const entries = Buffer.from([...ids].map((id) => `"${id}":${bias}`).join(','));
  const pairs = Buffer.from([...ids].map((id) => `[${id},${bias}]`).join(','));
  return ({ object, fields }, request) => {
    if (ids.size === 0) return [];
    const own: unknown = Reflect.get(request, 'logit_bias');
    const place = fields.get('logit_bias');
    if (place === undefined) {
      const inside = object.start + 1;
      return [{ start: inside, end: inside, bytes: [named, entries, ended] }];
    }
    if (typeof own !== 'object' || own === null) return [{ ...place, bytes: [open, entries, close] }];
    const inside = place.start + 1;
    const more = Object.keys(own).length > 0 ? [comma] : [];
    return [{ start: inside, end: inside, bytes: [Array.isArray(own) ? pairs : entries, ...more] }];
  };
}
