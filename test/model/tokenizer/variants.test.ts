import t from 'tap';
import { createTokenizer } from '../../../src/model/tokenizer/tokenizer.ts';
import { readFixture } from './smollm2.ts';

interface Variant {
  tokenizer: unknown;
  vectors: { text: string; ids: number[]; withSpecial: number[]; decoded: string }[];
}

const variants: Record<string, Variant> = JSON.parse(readFixture('variants.json.gz'));

for (const [name, { tokenizer: json, vectors }] of Object.entries(variants)) {
  const tokenizer = createTokenizer(json, {}, name);

  t.test(`${name} encodes as the Rust library does`, async (t) => {
    t.equal(vectors.length, 600);
    for (const { text, ids, withSpecial } of vectors) {
      t.strictSame(tokenizer.encode(text), ids, JSON.stringify(text));
      t.strictSame(tokenizer.encode(text, { addSpecialTokens: true }), withSpecial);
    }
  });

  t.test(`${name} decodes as the Rust library does`, async (t) => {
    for (const { ids, decoded } of vectors) t.equal(readable(name, tokenizer.decode(ids)), decoded);
  });
}

/** The Rust library shows a `normalized` added token in its normalized form; Preamble shows the token. */
function readable(name: string, text: string): string {
  return name === 'added-tokens' ? text.replaceAll('ABC', 'abc').replaceAll('ſt', 'st') : text;
}
