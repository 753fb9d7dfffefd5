import t from 'tap';
import { smollm2 } from './smollm2.ts';

const tokenizer = smollm2();
const MILLION = 1_000_000;

/** Generous for a busy machine: measured 0.2 to 1.7 s on 2 cores; a quadratic search would take hours. */
const MAX_MILLISECONDS = 20_000;

const hostile: Record<string, string> = {
  'one letter': 'a'.repeat(MILLION),
  spaces: ' '.repeat(MILLION),
  'line feeds': '\n'.repeat(MILLION),
  'opening brackets': '<'.repeat(MILLION),
  'beginnings of a control token': '<|im_'.repeat(MILLION / 5),
  'combining marks': '\u0301'.repeat(MILLION),
  'a family of emoji': '👨‍👩‍👧'.repeat(MILLION / 8),
};

for (const [what, text] of Object.entries(hostile)) {
  t.test(`a million characters of ${what} are encoded in time`, async (t) => {
    const start = performance.now();
    const ids = tokenizer.encode(text);
    const milliseconds = performance.now() - start;
    t.equal(tokenizer.decode(ids), text);
    t.ok(milliseconds < MAX_MILLISECONDS, `${Math.round(milliseconds)} ms`);
  });
}

t.test('a text of 8,000 tokens takes well under 100 ms', async (t) => {
  const text = 'The quick brown fox jumps over the lazy dog, 17 times. '.repeat(600);
  tokenizer.encode(text);
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now();
    t.ok(tokenizer.encode(text).length > 8000);
    return performance.now() - start;
  });
  t.ok(Math.min(...times) < 100, `${Math.min(...times).toFixed(1)} ms`);
});

t.test('a limit on tokens stops the work early', async (t) => {
  for (const unit of ['a', 'a b ', '<|im_end|>', ' ']) {
    for (const length of [300_000, 20 * MILLION]) {
      const text = unit.repeat(length / unit.length);
      const start = performance.now();
      const expected = { code: 'context_length_exceeded' };
      t.throws(() => tokenizer.encode(text, { maxTokens: 4096 }), expected);
      const milliseconds = performance.now() - start;
      t.ok(
        milliseconds < MAX_MILLISECONDS / 10,
        `${length} of ${JSON.stringify(unit)}: ${Math.round(milliseconds)} ms`,
      );
    }
  }
});

t.test('a text of exactly the limit passes', async (t) => {
  t.equal(tokenizer.encode('a b c', { maxTokens: 3 }).length, 3);
  t.throws(() => tokenizer.encode('a b c', { maxTokens: 2 }), { code: 'context_length_exceeded' });
});
