import t from 'tap';
import type { ScoredText } from '../../../../src/dro/evaluation/perplexity/batches.ts';
import { measureSurprise } from '../../../../src/dro/evaluation/perplexity/surprise.ts';
import { fixtureDirectory, recording } from '../../../model/transformer/support/fixtures.ts';

/** Two float32 implementations that add in different orders. */
const TOLERANCE = 1e-4;
const signal = new AbortController().signal;

/** Mean of −log softmax(logits)[next token] over the end of one recorded row. */
function expected(logits: Float32Array, ids: readonly number[], row: number, from: number, vocabSize: number): number {
  let sum = 0;
  for (let place = from; place < ids.length; place++) {
    const at = (row * ids.length + place - 1) * vocabSize;
    const values = Array.from(logits.subarray(at, at + vocabSize), (value) => Math.exp(value));
    sum -= Math.log((values[ids[place] ?? 0] ?? 0) / values.reduce((total, value) => total + value, 0));
  }
  return sum / (ids.length - from);
}

for (const name of ['llama', 'llama-tied-bias', 'mistral-window', 'qwen3']) {
  t.test(`${name}: the surprise of what follows, by the logits that transformers computed`, async (t) => {
    const { ids, logits } = await recording(name);
    const vocabSize = logits.length / ids.flat().length;
    const texts = ids.flatMap((row) => [1, 3, row.length - 1].map((from): ScoredText => ({ ids: row, from })));
    const found = await measureSurprise(fixtureDirectory(name), texts, { signal, threads: 1 });
    for (const [index, surprise] of found.entries()) {
      const row = Math.floor(index / 3);
      const wanted = expected(logits, ids[row] ?? [], row, texts[index]?.from ?? 0, vocabSize);
      t.ok(Math.abs(surprise - wanted) < TOLERANCE, `${surprise} is ${wanted}`);
    }
  });
}

t.test('a text scores the same whatever is scored beside it, and progress is told', async (t) => {
  const directory = fixtureDirectory('llama');
  const text = (length: number): ScoredText => ({
    ids: Array.from({ length }, (_, at) => (at * 7) % 50),
    from: Math.floor(length / 2),
  });
  const lengths = [5, 70, 12, 64, 65, 9, 130, 11, 3, 8, 10, 14, 6];
  const progress: number[] = [];
  const options = { signal, threads: 1 };
  const together = await measureSurprise(directory, lengths.map(text), {
    ...options,
    onProgress: (done) => progress.push(done),
  });
  for (const index of [0, 3, 4, 6]) {
    const [alone] = await measureSurprise(directory, [text(lengths[index] ?? 0)], options);
    t.ok(Math.abs((alone ?? 0) - (together[index] ?? 0)) < 1e-5, `${lengths[index]} tokens`);
  }
  t.equal(progress.at(-1), lengths.length);
  t.ok(progress.length > 3, 'one widths after the other');
  t.strictSame(await measureSurprise(directory, [], options), []);
});

t.test('giving up ends with the reason; a directory without a model says so', async (t) => {
  const text = { ids: [1, 2, 3], from: 1 };
  const reason = new Error('enough');
  await t.rejects(measureSurprise(fixtureDirectory('llama'), [text], { signal: AbortSignal.abort(reason) }), reason);
  const controller = new AbortController();
  const many = Array.from({ length: 200 }, (_, at) => ({
    ids: Array.from({ length: 20 + at }, () => at % 9),
    from: 1,
  }));
  const run = measureSurprise(fixtureDirectory('llama'), many, {
    signal: controller.signal,
    threads: 1,
    onProgress: () => controller.abort(reason),
  });
  await t.rejects(run, reason);
  await t.rejects(measureSurprise(t.testdir(), [text], { signal }), { code: 'file_unreadable' });
});
