import t from 'tap';
import { checkMemory } from '../../../src/dro/training/check-memory.ts';
import { type MemoryShape, trainingBytes } from '../../../src/dro/training/memory.ts';
import { loadModelConfig } from '../../../src/model/parse-config.ts';
import { fixtureDirectory } from '../../model/transformer/support/fixtures.ts';

const tiny = await loadModelConfig(fixtureDirectory('llama'));
// Llama-2-7b's sizes
const config = {
  ...tiny,
  hiddenSize: 4096,
  intermediateSize: 11008,
  layers: 32,
  heads: 32,
  kvHeads: 32,
  headDim: 128,
  vocabSize: 32000,
  slidingWindows: new Array<number | null>(32).fill(null),
};
const SMOLLM2 = {
  hiddenSize: 576,
  intermediateSize: 1536,
  layers: 30,
  heads: 9,
  kvHeads: 3,
  headDim: 64,
  vocabSize: 49152,
};
const shape: MemoryShape = {
  rows: 10,
  tokens: 40,
  prefixTokens: 120,
  positions: 10,
  alternatives: 1,
  sessions: 1,
  judgesAnswers: false,
};

t.test('what fits is told and let through', async (t) => {
  const bytes = trainingBytes(config, shape);
  t.same(checkMemory(config, shape, 'cpu', bytes), { bytes, availableBytes: bytes });
});

t.test('what does not fit is refused, with the largest micro-batch that does', async (t) => {
  const three = trainingBytes(config, { ...shape, rows: 3, positions: 3 });
  t.throws(() => checkMemory(config, shape, 'cpu', three), {
    code: 'memory_short',
    message: /^Training needs about \d+\.\d GB of memory, and \d+\.\d GB are free\.$/,
    action: /^With --micro-batch 3 it needs \d+\.\d GB\.$/,
  });
});

t.test('a model that does not fit row by row needs another machine', async (t) => {
  t.throws(() => checkMemory(config, shape, 'cpu', 1e9), {
    code: 'memory_short',
    action: /^Even with --micro-batch 1/,
  });
});

t.test("another device's memory is not the machine's", async (t) => {
  t.match(checkMemory(config, shape, 'cuda', 1), { availableBytes: 1 });
});

// the process' memory without mapped pages after a run on SmolLM2, as docs/training.md has it
const MEASURED = [
  { rows: 25, tokens: 32, prefixTokens: 112, positions: 25, alternatives: 1, judgesAnswers: false, megabytes: 1183 },
  { rows: 10, tokens: 32, prefixTokens: 112, positions: 10, alternatives: 1, judgesAnswers: false, megabytes: 617 },
  { rows: 20, tokens: 43, prefixTokens: 57, positions: 240, alternatives: 16, judgesAnswers: true, megabytes: 1388 },
];

for (const { megabytes, ...measured } of MEASURED) {
  t.test(`the estimate for ${measured.rows} rows is within a tenth of what was measured`, async (t) => {
    const smollm2 = { ...config, ...SMOLLM2 };
    const estimate = trainingBytes(smollm2, { ...measured, sessions: 1 }) / 1e6;
    t.ok(Math.abs(estimate / megabytes - 1) < 0.1, `${estimate.toFixed(0)} MB, measured ${megabytes} MB`);
  });
}
