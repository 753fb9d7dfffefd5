import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { describe, PreambleError } from '../../src/errors.ts';
import { loadModelConfig, parseModelConfig } from '../../src/model/parse-config.ts';

const llama = {
  model_type: 'llama',
  hidden_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 96,
  vocab_size: 100,
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-5,
};

t.test('what config.json leaves out is what transformers takes', async (t) => {
  t.match(parseModelConfig(llama), {
    architecture: 'llama',
    headDim: 16,
    kvHeads: 2,
    ropeTheta: 10_000,
    ropeScaling: { kind: 'none' },
    tiedEmbeddings: false,
    qkvBias: false,
    qkNorm: false,
    slidingWindows: [null, null],
    eosTokenIds: [],
  });
  t.equal(parseModelConfig({ ...llama, num_key_value_heads: null }).kvHeads, 4);
  t.match(parseModelConfig({ ...llama, model_type: 'qwen2' }), { qkvBias: true, outputBias: false });
  t.match(parseModelConfig({ ...llama, model_type: 'qwen3' }), { headDim: 128, qkNorm: true, qkvBias: false });
  t.match(parseModelConfig({ ...llama, model_type: 'mistral', sliding_window: 8 }), { slidingWindows: [8, 8] });
});

t.test('both ways to write RoPE, and every end of an answer', async (t) => {
  const scaling = { rope_type: 'linear', factor: 4 };
  t.match(parseModelConfig({ ...llama, rope_theta: 5, rope_scaling: scaling }), {
    ropeTheta: 5,
    ropeScaling: { kind: 'linear', factor: 4 },
    maxPositions: 8192,
  });
  t.match(parseModelConfig({ ...llama, rope_parameters: { ...scaling, rope_theta: 6 } }), {
    ropeTheta: 6,
    maxPositions: 8192,
  });
  t.match(parseModelConfig({ ...llama, rope_scaling: { type: 'dynamic', factor: 2 } }).ropeScaling, {
    kind: 'dynamic',
  });
  t.strictSame(parseModelConfig({ ...llama, eos_token_id: 2 }, { eos_token_id: [2, 7] }).eosTokenIds, [2, 7]);
});

t.test('a checkpoint that cannot be served says why in one line', async (t) => {
  const cases: [config: unknown, code: string, message: RegExp][] = [
    [
      { ...llama, model_type: 'gpt2' },
      'model_unsupported',
      /model type "gpt2".*Supported are llama, mistral, qwen2, qwen3/,
    ],
    [{ ...llama, model_type: 'a\nb' }, 'model_unsupported', /"a\\nb"/],
    [{ ...llama, hidden_act: 'gelu' }, 'model_unsupported', /activation "gelu".*Only silu/],
    [{ ...llama, rope_scaling: { rope_type: 'yarn', factor: 4 } }, 'model_unsupported', /RoPE scaling "yarn"/],
    [{ ...llama, rope_parameters: { partial_rotary_factor: 0.5 } }, 'model_unsupported', /partial RoPE/],
    [{ ...llama, rope_scaling: { type: 'linear', factor: 0.01 } }, 'format_invalid', /rope_scaling/],
    [{ ...llama, rope_scaling: { type: 'linear', factor: 1e300 } }, 'format_invalid', /rope_scaling/],
    [{ ...llama, num_hidden_layers: 1e7 }, 'format_invalid', /num_hidden_layers must be <= 4096/],
    [{ ...llama, num_key_value_heads: 3 }, 'format_invalid', /4 heads cannot share 3/],
    [{ ...llama, hidden_size: 66 }, 'format_invalid', /16\.5 dimensions/],
    [{ ...llama, head_dim: 15 }, 'format_invalid', /15 dimensions/],
    [{ ...llama, hidden_size: 0 }, 'format_invalid', /hidden_size must be >= 1/],
    [{ ...llama, vocab_size: 2 ** 40 }, 'format_invalid', /vocab_size must be <=/],
    [{ ...llama, rms_norm_eps: 0 }, 'format_invalid', /rms_norm_eps/],
    [{ ...llama, hidden_size: '64' }, 'format_invalid', /hidden_size must be integer/],
    [{ model_type: 'llama' }, 'format_invalid', /hidden_size/],
    [[], 'format_invalid', /must be object/],
    [null, 'format_invalid', /must be object/],
  ];
  for (const [config, code, message] of cases) {
    try {
      parseModelConfig(config);
      t.fail(JSON.stringify(config));
    } catch (error) {
      if (!(error instanceof PreambleError)) throw error;
      t.equal(error.code, code);
      t.match(describe(error), message);
      t.notMatch(describe(error), /\n/);
    }
  }
});

t.test('a directory without one, and files that are none', async (t) => {
  const root = t.testdir();
  await t.rejects(loadModelConfig(root), { code: 'file_unreadable', message: /has no config\.json/ });
  const write = (name: string, text: string | Buffer) => writeFile(join(root, name), text);
  for (const text of ['', '{', '\0'.repeat(100), Buffer.from([0xff, 0xfe])]) {
    await write('config.json', text);
    await t.rejects(loadModelConfig(root), { code: 'format_invalid', message: /config\.json is not JSON/ });
  }
  await write('config.json', `{"x":"${'x'.repeat(2 ** 20)}"}`);
  await t.rejects(loadModelConfig(root), { code: 'format_invalid', message: /larger than a configuration can be/ });
  await write('config.json', JSON.stringify(llama));
  await write('generation_config.json', '{"eos_token_id": 7}');
  t.strictSame((await loadModelConfig(root)).eosTokenIds, [7]);
  await write('generation_config.json', '[');
  await t.rejects(loadModelConfig(root), { code: 'format_invalid', message: /generation_config\.json is not JSON/ });
  await mkdir(join(root, 'other', 'config.json'), { recursive: true });
  await t.rejects(loadModelConfig(join(root, 'other')), { code: 'file_unreadable' });
});

t.test('whatever stands in it, there is a usable configuration or a one-line error', async (t) => {
  const names = [
    ...Object.keys(llama),
    'head_dim',
    'rope_scaling',
    'rope_parameters',
    'sliding_window',
    'layer_types',
    'eos_token_id',
    'max_window_layers',
    '__proto__',
  ];
  const value = fc.oneof(
    fc.jsonValue(),
    fc.integer({ min: -2, max: 300 }),
    fc.constantFrom(2 ** 24, 2 ** 53, 1e308, 'llama', 'mistral', 'qwen2', 'qwen3'),
    fc.record({ rope_type: fc.constantFrom('linear', 'dynamic', 'llama3'), factor: fc.double({ noNaN: true }) }),
  );
  const altered = fc
    .dictionary(fc.constantFrom(...names), value, { maxKeys: 3 })
    .map((change) => ({ ...llama, ...change }));
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.oneof({ weight: 4, arbitrary: altered }, fc.jsonValue()), fc.jsonValue(), (config, generation) => {
        try {
          const parsed = parseModelConfig(config, generation);
          const sizes = [
            parsed.hiddenSize,
            parsed.layers,
            parsed.heads,
            parsed.kvHeads,
            parsed.headDim,
            parsed.maxPositions,
          ];
          return (
            sizes.every((size) => Number.isSafeInteger(size) && size > 0) &&
            parsed.slidingWindows.length === parsed.layers
          );
        } catch (error) {
          if (!(error instanceof PreambleError)) throw error;
          return !describe(error).includes('\n');
        }
      }),
      { numRuns: 2000 },
    ),
  );
});
