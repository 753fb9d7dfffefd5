import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createOnnxDecoder } from '../../../src/engine/decoder/onnx-decoder.ts';
import { createKeyValueCache } from '../../../src/engine/key-value-cache.ts';
import { openCheckpoint } from '../../../src/model/checkpoint.ts';
import {
  fixtureDirectory,
  fixtureNames,
  largestDifference,
  recording,
} from '../../model/transformer/support/fixtures.ts';

const TOLERANCE = 1e-4;
/** Positions decoded one by one behind the rest, over the cache. */
const DECODED = 5;

for (const name of await fixtureNames()) {
  t.test(`${name}: prefill and decoding give the logits that transformers computed`, async (t) => {
    const { config } = await openCheckpoint(fixtureDirectory(name));
    const { ids, logits } = await recording(name);
    const decoder = await createOnnxDecoder({
      directory: fixtureDirectory(name),
      weights: 'float32',
      cacheDirectory: tmpdir(),
      contextLength: null,
      threads: 1,
    });
    t.teardown(() => decoder.close());
    const cache = createKeyValueCache(decoder.shape, ids.length);
    const length = ids[0]?.length ?? 0;
    const embed = (tokens: readonly number[]) => {
      const embeddings = new Float32Array(tokens.length * decoder.hiddenSize);
      decoder.embed(tokens, embeddings, 0);
      return embeddings;
    };
    const expected = (row: number, position: number) => {
      const start = (row * length + position) * decoder.vocabSize;
      return logits.subarray(start, start + decoder.vocabSize);
    };
    // transformers stretched the recorded sequence as a whole; token by token, dynamic scaling stretches as far as each has come.
    const read = config.ropeScaling.kind === 'dynamic' ? length : length - DECODED;
    for (const [row, tokens] of ids.entries()) {
      const embeddings = embed(tokens.slice(0, read));
      const last = await decoder.step({ cache, firstRow: row, batch: 1, positions: read, embeddings });
      t.ok(largestDifference(last, expected(row, read - 1)) < TOLERANCE, `row ${row} after its prompt`);
    }
    for (let position = read; position < length; position++) {
      const embeddings = embed(ids.map((tokens) => tokens[position] ?? 0));
      const step = await decoder.step({ cache, firstRow: 0, batch: ids.length, positions: 1, embeddings });
      for (const row of ids.keys()) {
        const own = step.subarray(row * decoder.vocabSize, (row + 1) * decoder.vocabSize);
        t.ok(largestDifference(own, expected(row, position)) < TOLERANCE, `row ${row}, position ${position}`);
      }
    }
  });
}

for (const weights of ['4-bit', '8-bit'] as const) {
  t.test(`${weights} weights stay near: the same shapes, biases and norms in the quantised file`, async (t) => {
    t.testdir();
    for (const name of ['llama', 'qwen2', 'qwen3']) {
      const { ids, logits } = await recording(name);
      // The quantised weights are written beside the checkpoint.
      const directory = join(t.testdirName, name);
      await cp(fixtureDirectory(name), directory, { recursive: true });
      const decoder = await createOnnxDecoder({
        directory,
        weights,
        cacheDirectory: tmpdir(),
        contextLength: null,
        threads: 1,
      });
      const tokens = ids[0] ?? [];
      const embeddings = new Float32Array(tokens.length * decoder.hiddenSize);
      decoder.embed(tokens, embeddings, 0);
      const cache = createKeyValueCache(decoder.shape, 1);
      const last = await decoder.step({ cache, firstRow: 0, batch: 1, positions: tokens.length, embeddings });
      const end = tokens.length * decoder.vocabSize;
      const scale = Math.max(...logits.map(Math.abs));
      const difference = largestDifference(last, logits.subarray(end - decoder.vocabSize, end)) / scale;
      t.comment(`figure: ${name} at ${weights} differs by ${(100 * difference).toFixed(1)}% of the largest logit`);
      t.ok(difference < (weights === '8-bit' ? 0.05 : 0.3), name);
      await decoder.close();
    }
  });
}
