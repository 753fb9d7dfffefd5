import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { decodeBf16, decodeF16 } from '../../../src/formats/half-precision.ts';
import type { DenseTensor } from '../../../src/formats/torch-save/dense-tensor.ts';
import { decodeTorchSave, readTorchSave } from '../../../src/formats/torch-save/read.ts';
import { refusal } from './support/tensors.ts';

const fixtures = new URL('../../fixtures/torch-save/', import.meta.url);
const recordSchema = Type.Object({
  torch: Type.String(),
  values: Type.Record(
    Type.String(),
    Type.Object({
      dtype: Type.String(),
      shape: Type.Array(Type.Integer()),
      bytes: Type.String(),
      float32: Type.String(),
    }),
  ),
});

const names: Record<string, string> = { 'dict.bin': 'prompt_embeddings', 'ordered-dict.bin': 'soft_prompt' };

/** What a person may well hand us that is not one contiguous matrix, and what is said of it. */
const refused: Record<string, RegExp> = {
  parameter: /names "torch\._utils\._rebuild_parameter", which one tensor does not need/,
  transposed: /not contiguous/,
  'some-columns': /not contiguous/,
  float64: /names "torch\.DoubleStorage", which is not bfloat16, float16 or float32/,
  integers: /names "torch\.LongStorage"/,
  vector: /has 1 dimensions, not 2/,
  batch: /has 3 dimensions, not 2/,
  empty: /its tensor is empty/,
  list: /the opcode EMPTY_LIST/,
  'two-tensors': /holds 2 values \("soft_prompt, other"\), not one tensor/,
  numbered: /has keys that are no text/,
  number: /holds no tensor/,
  'state-dict': /the opcode BUILD/,
  module: /names "torch\.nn\.modules\.linear\.Linear"/,
  legacy: /from before torch 1\.6/,
  'protocol-4': /not in protocol 2/,
};

for (const version of ['1.13.1', '2.13.0']) {
  const directory = new URL(`torch-${version}/`, fixtures);

  t.test(`what torch ${version} saved is read bit for bit, and means the same numbers`, async (t) => {
    const record = Value.Parse(recordSchema, JSON.parse(await readFile(new URL('values.json', directory), 'utf8')));
    t.ok(record.torch.startsWith(version));
    t.ok(Object.keys(record.values).length >= 8);
    for (const [file, { dtype, shape, bytes, float32 }] of Object.entries(record.values)) {
      const { name, tensor } = await readTorchSave(fileURLToPath(new URL(file, directory)));
      t.equal(name, names[file] ?? null, file);
      t.same([tensor.dtype, tensor.rows, tensor.columns], [dtype, ...shape], file);
      t.equal(Buffer.from(tensor.bytes).toString('base64'), bytes, file);
      t.same(Buffer.from(widen(tensor).buffer).toString('base64'), float32, file);
    }
  });

  t.test(`other things that torch ${version} saves are refused in one line that says why`, async (t) => {
    const files = await readdir(new URL('refused/', directory));
    t.same(
      files.sort(),
      Object.keys(refused)
        .map((name) => `${name}.pt`)
        .sort(),
    );
    for (const [name, message] of Object.entries(refused)) {
      const bytes = await readFile(new URL(`refused/${name}.pt`, directory));
      const error = refusal(() => decodeTorchSave(bytes, `${name}.pt`));
      t.match(error?.message, message, name);
      t.match(error?.message, /^\S+\.pt is not a usable torch\.save file: /);
      t.match(error?.action, /torch\.save\(rows\.detach\(\)/);
    }
  });
}

function widen({ dtype, bytes }: DenseTensor): Float32Array {
  const { buffer } = Uint8Array.from(bytes);
  if (dtype === 'F32') return new Float32Array(buffer);
  const halves = new Uint16Array(buffer);
  const values = new Float32Array(halves.length);
  (dtype === 'BF16' ? decodeBf16 : decodeF16)(halves, values);
  return values;
}
