import t from 'tap';
import type { KeyValueSnapshot } from '../../src/engine/key-value-cache.ts';
import { createPrefixCache, prefixKey } from '../../src/engine/prefix-cache.ts';
import type { SoftPrompt } from '../../src/prompts/soft-prompt.ts';

const snapshot = (bytes: number): KeyValueSnapshot => ({ length: 1, keys: [], values: [], bytes });
const prompt = (digest: string): SoftPrompt => ({
  label: 'p@1.0.0',
  digest,
  tokens: 1,
  hiddenSize: 1,
  values: new Float32Array(1),
});

t.test('the prefix unused for longest goes first', async (t) => {
  const cache = createPrefixCache(100);
  cache.set('a', snapshot(40));
  cache.set('b', snapshot(40));
  cache.get('a');
  cache.set('c', snapshot(40));
  t.ok(cache.get('a'));
  t.notOk(cache.get('b'));
  t.ok(cache.get('c'));
});

t.test('a prefix larger than the whole cache is not kept', async (t) => {
  const cache = createPrefixCache(100);
  cache.set('a', snapshot(10));
  cache.set('large', snapshot(101));
  t.notOk(cache.get('large'));
  t.ok(cache.get('a'));
});

t.test('keys tell apart prompts, tokens and where one ends', async (t) => {
  const keys = [
    [{ tokens: [1, 2] }],
    [{ tokens: [1] }, { tokens: [2] }],
    [{ tokens: [12] }],
    [{ softPrompt: prompt('1') }],
    [{ softPrompt: prompt('2') }],
    [{ tokens: [1] }, { softPrompt: prompt('2') }],
  ].map(prefixKey);
  t.equal(new Set(keys).size, keys.length);
});
