import { createHash } from 'node:crypto';
import t from 'tap';
import { createTokenizer } from '../../../src/model/tokenizer/tokenizer.ts';
import { smollm2Json } from './smollm2.ts';

function digestOf(json: unknown): string {
  return createTokenizer(json, {}, 'tokenizer.json').vocabularyDigest;
}

t.test('is the SHA-256 of the documented listing', async (t) => {
  const json = smollm2Json();
  const tokens: string[] = [];
  for (const [token, id] of Object.entries<number>(json.model.vocab)) tokens[id] = token;
  const listing = tokens.map((token, id) => `${id}\t${Buffer.from(token).toString('hex')}\n`).join('');
  t.equal(digestOf(json), createHash('sha256').update(listing).digest('hex'));
});

t.test('two files that mean the same vocabulary agree', async (t) => {
  const json = smollm2Json();
  const other = smollm2Json();
  other.model.vocab = Object.fromEntries(Object.entries(other.model.vocab).reverse());
  other.model.merges = other.model.merges.map((pair: string[]) => pair.join(' '));
  other.added_tokens.reverse();
  other.pre_tokenizer = { type: 'ByteLevel', add_prefix_space: false, use_regex: true };
  // in some files the added tokens stand in the list of added tokens only
  for (const { content } of other.added_tokens) delete other.model.vocab[content];
  t.equal(digestOf(other), digestOf(json));
});

t.test('another token or another id changes it', async (t) => {
  const json = smollm2Json();
  const before = digestOf(json);
  json.added_tokens.push({ id: 49152, content: '<|virtual_0|>', special: true });
  const after = digestOf(json);
  t.not(after, before);
  json.added_tokens.at(-1).id = 49153;
  t.not(digestOf(json), after);
});
