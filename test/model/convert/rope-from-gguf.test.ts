import { open } from 'node:fs/promises';
import t from 'tap';
import { readGgufHeader } from '../../../src/formats/gguf.ts';
import { ropeScalingFromGguf } from '../../../src/model/convert/rope-from-gguf.ts';
import { readRopeFactors } from '../../../src/model/convert/weights-from-gguf.ts';
import { ggufFixture } from './gguf-fixture.ts';

const rope = { headDim: 16, ropeTheta: 500_000, ropeFactors: null };

t.test("llama3's parameters are found again from the factors that llama.cpp's converter leaves of them", async (t) => {
  const path = ggufFixture('tiny-llama');
  const header = await readGgufHeader(path);
  await using file = await open(path);
  const ropeFactors = await readRopeFactors(file, header);
  t.same(ropeScalingFromGguf(header.metadata, 'llama', { ...rope, ropeFactors }), {
    rope_type: 'llama3',
    factor: 32,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  });
  t.equal(await readRopeFactors(file, await readGgufHeader(ggufFixture('tiny-qwen2'))), null);
});

t.test('factors of another origin are refused, not guessed', async (t) => {
  for (const factors of [[2, 2, 2, 2, 2, 2, 2, 2], [1, 1], [1, 1, 1, 1, Number.NaN, 1, 1, 32], []]) {
    const ropeFactors = Float32Array.from(factors);
    t.throws(() => ropeScalingFromGguf(new Map(), 'llama', { ...rope, ropeFactors }), { code: 'model_unsupported' });
  }
});

t.test('linear scaling keeps its factor; none is null', async (t) => {
  const linear = new Map<string, string | number>([
    ['llama.rope.scaling.type', 'linear'],
    ['llama.rope.scaling.factor', 4],
  ]);
  t.same(ropeScalingFromGguf(linear, 'llama', rope), { rope_type: 'linear', factor: 4 });
  t.equal(ropeScalingFromGguf(new Map([['llama.rope.scaling.type', 'none']]), 'llama', rope), null);
  t.equal(ropeScalingFromGguf(new Map(), 'llama', rope), null);
});
