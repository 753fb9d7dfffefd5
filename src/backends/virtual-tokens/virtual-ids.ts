import { PreambleError } from '../../errors.ts';
import { isObject } from '../../openai/validate.ts';

/** Fields that hold token ids, by whatever server's name. */
const ID_LISTS = [
  'prompt',
  'input',
  'allowed_token_ids',
  'stop_token_ids',
  'input_ids',
  'prompt_token_ids',
  'token_ids',
  'tokens',
];
/** A digit text among these is a text; in any other list servers read it as the number. */
const MAY_HOLD_TEXTS = new Set(['prompt', 'input']);
/** OpenAI's is 300. One for every token would leave the virtual ones. */
const MAX_BIASED = 1024;
/** llama.cpp's grammars name tokens by their ids: `<[49152]>`. */
const TOKEN_IN_GRAMMAR = /<\[\s*(\d+)\s*\]>/g;

/**
 * Refuses a request that names a virtual token by its id: in a raw prompt, or where it would make one likelier.
 * Throws `invalid_request`.
 */
export function refuseVirtualIds(request: object, ids: ReadonlySet<number>): void {
  for (const field of ID_LISTS) {
    const value: unknown = Reflect.get(request, field);
    if (!Array.isArray(value)) continue;
    const named = value.flat(4).filter((item) => typeof item === 'number' || !MAY_HOLD_TEXTS.has(field));
    if (named.some((item) => ids.has(Number(item)))) throw refused(field, 'names a virtual token');
  }
  refuseBias(Reflect.get(request, 'logit_bias'), ids);
  const grammar: unknown = Reflect.get(request, 'grammar');
  if (typeof grammar !== 'string') return;
  for (const [, id] of grammar.matchAll(TOKEN_IN_GRAMMAR)) {
    if (ids.has(Number(id))) throw refused('grammar', 'names a virtual token');
  }
}

/** OpenAI's object by id, or llama.cpp's list of pairs. A text in the place of an id is what a server makes of it. */
function refuseBias(bias: unknown, ids: ReadonlySet<number>): void {
  const names = Array.isArray(bias)
    ? bias.map((pair: unknown) => (Array.isArray(pair) ? String(pair[0]) : ''))
    : isObject(bias)
      ? Object.keys(bias)
      : [];
  if (names.length > MAX_BIASED) throw refused('logit_bias', `names more than ${MAX_BIASED} tokens`);
  for (const name of names) {
    if (!/^(?:0|[1-9]\d{0,8})$/.test(name)) throw refused('logit_bias', 'names something that is not a token id');
    if (ids.has(Number(name))) throw refused('logit_bias', 'names a virtual token');
  }
}

function refused(param: string, what: string): PreambleError {
  return new PreambleError('invalid_request', `'${param}' ${what}.`, { action: 'Leave it out.', param });
}
