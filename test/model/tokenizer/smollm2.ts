import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { createTokenizer, type Tokenizer } from '../../../src/model/tokenizer/tokenizer.ts';

const fixtures = new URL('../../fixtures/tokenizer/', import.meta.url);

export function readFixture(name: string): string {
  return gunzipSync(readFileSync(new URL(name, fixtures))).toString('utf8');
}

/** SmolLM2's `tokenizer.json`, parsed anew at each call. */
export function smollm2Json() {
  return JSON.parse(readFixture('smollm2-tokenizer.json.gz'));
}

export interface ExtraToken {
  content: string;
  special?: boolean;
  rstrip?: boolean;
  lstrip?: boolean;
  single_word?: boolean;
  normalized?: boolean;
}

/** SmolLM2's vocabulary with more added tokens after it. */
export function smollm2(extra: readonly ExtraToken[] = [], config: Record<string, string> = {}): Tokenizer {
  const json = smollm2Json();
  let id = Object.keys(json.model.vocab).length;
  for (const token of extra) {
    if (Object.hasOwn(json.model.vocab, token.content)) continue;
    json.added_tokens.push({ special: true, normalized: false, ...token, id: id++ });
  }
  return createTokenizer(json, config, 'tokenizer.json');
}
