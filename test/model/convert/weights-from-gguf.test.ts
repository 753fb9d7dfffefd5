import { open } from 'node:fs/promises';
import t from 'tap';
import type { GgufTensor } from '../../../src/formats/gguf.ts';
import { configFromGguf } from '../../../src/model/convert/config-from-gguf.ts';
import { weightsFromGguf } from '../../../src/model/convert/weights-from-gguf.ts';
import { parseModelConfig } from '../../../src/model/parse-config.ts';
import { alteredHeader, ggufFixture } from './gguf-fixture.ts';

const tensor = (more: Partial<GgufTensor>): GgufTensor => ({
  type: 'F32',
  shape: [64],
  offset: 0,
  length: 256,
  ...more,
});

const faults: [what: string, tensors: Record<string, GgufTensor | null>, code: string, message: RegExp][] = [
  ['a missing tensor', { 'blk.1.attn_q.weight': null }, 'format_invalid', /blk.1.attn_q.weight is missing/],
  [
    'a tensor of another shape',
    { 'blk.0.ffn_up.weight': tensor({ shape: [64, 96] }) },
    'format_invalid',
    /blk.0.ffn_up.weight is \[64, 96\] and should be \[96, 64\]/,
  ],
  [
    'a quantisation without a dequantiser',
    { 'blk.0.ffn_up.weight': tensor({ type: 'IQ4_XS', shape: [96, 64] }) },
    'model_unsupported',
    /quantised as IQ4_XS/,
  ],
  ['a tensor that no llama has', { 'blk.0.ffn_gate_exps.weight': tensor({}) }, 'model_unsupported', /ffn_gate_exps/],
];
for (const [what, tensors, code, message] of faults) {
  t.test(`refuses ${what} before any weight is read`, async (t) => {
    const header = await alteredHeader('tiny-llama', {}, tensors);
    const config = parseModelConfig(configFromGguf(header, null));
    await using file = await open(ggufFixture('tiny-llama'));
    t.throws(() => weightsFromGguf(file, header, config), { code, message });
  });
}

t.test('a bias of q is reordered as its rows are', async (t) => {
  const biases = ['attn_q', 'attn_k', 'attn_v', 'attn_output'].flatMap((name) =>
    [0, 1].map((layer) => `blk.${layer}.${name}.bias`),
  );
  const header = await alteredHeader('tiny-llama', {}, Object.fromEntries(biases.map((name) => [name, tensor({})])));
  for (const name of biases.filter((name) => /attn_[kv]\./.test(name))) {
    Object.assign(header.tensors.get(name) ?? {}, { shape: [32], length: 128 });
  }
  const config = parseModelConfig(configFromGguf(header, null));
  const path = `${t.testdir({ bias: '' })}/bias`;
  await using file = await open(path, 'w+');
  await file.write(new Uint8Array(Float32Array.from({ length: 64 }, (_, index) => index).buffer), 0, 256, 0);

  const entries = weightsFromGguf(file, header, config);
  const values = async (name: string) => {
    const pieces: Uint8Array[] = [];
    for await (const piece of entries.find((entry) => entry.name === name)?.bytes() ?? []) pieces.push(piece.slice());
    const halves = new Uint16Array(Uint8Array.from(Buffer.concat(pieces)).buffer);
    return [...new Float32Array(Uint32Array.from(halves, (bits) => bits * 2 ** 16).buffer)];
  };
  const head = [0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15];
  t.same(
    await values('model.layers.0.self_attn.q_proj.bias'),
    [0, 16, 32, 48].flatMap((first) => head.map((row) => first + row)),
  );
  t.same(await values('model.layers.0.self_attn.v_proj.bias'), [...Array(32).keys()], 'v is not rotated');
});
