import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { bf16ToFloat32, f16ToFloat32 } from '../../../src/formats/half-precision.ts';
import { type DenseTensor, elementBytes } from '../../../src/formats/torch-save/dense-tensor.ts';
import { readTorchSave } from '../../../src/formats/torch-save/read.ts';
import { encodeTorchSave } from '../../../src/formats/torch-save/write.ts';

const shape = Type.Tuple([Type.Integer(), Type.Integer()]);
const loaded = Type.Object({
  dtype: Type.String(),
  shape,
  stride: shape,
  requiresGrad: Type.Boolean(),
  bits: Type.String(),
  mappedBits: Type.String(),
  mappedOffset: Type.Integer(),
  numbers: Type.Array(Type.String()),
});
const saved = Type.Object({
  path: Type.String(),
  name: Type.Union([Type.String(), Type.Null()]),
  dtype: Type.String(),
  shape,
  bits: Type.String(),
});

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const run = promisify(execFile);
/** The first call on a machine installs torch: gigabytes. */
t.setTimeout(15 * 60_000);
const python = (await run(file('../../../scripts/python-env.sh'), ['torch'])).stdout.trim();

/** What a script of ours, run with real torch, prints: an object a line. */
async function torchSays<Schema extends Type.TSchema>(schema: Schema, script: string, args: string[]) {
  const { stdout } = await run(python, [file(`support/${script}`), ...args], { maxBuffer: 2 ** 28 });
  const lines = stdout.trim().split('\n');
  return lines.map((line): Static<Schema> => Value.Parse(schema, JSON.parse(line)));
}

t.test('torch.load(weights_only=True) finds in our bytes the same bits and the same numbers', async (t) => {
  const shapes = [
    [1, 1],
    [1, 300],
    [300, 1],
    [7, 64],
    [100, 700],
  ] as const;
  const tensors = (['BF16', 'F16', 'F32'] as const).flatMap((dtype) =>
    shapes.map(([rows, columns]): DenseTensor => {
      // Random bits are any numbers: subnormal, infinite and NaN ones too.
      return { dtype, rows, columns, bytes: randomBytes(rows * columns * elementBytes[dtype]) };
    }),
  );
  const directory = t.testdir();
  const paths = tensors.map((_, index) => join(directory, `${index}.pt`));
  for (const [index, tensor] of tensors.entries()) await writeFile(paths[index] ?? '', encodeTorchSave(tensor));

  const found = await torchSays(loaded, 'torch-loads.py', paths);
  t.equal(found.length, tensors.length);
  for (const [index, tensor] of tensors.entries()) {
    const { dtype, rows, columns, bytes } = tensor;
    const bits = Buffer.from(bytes).toString('hex');
    const what = `${dtype} [${rows}, ${columns}]`;
    const { numbers, ...rest } = found[index] ?? { numbers: [] };
    const expected = { dtype, shape: [rows, columns], stride: [columns, 1], requiresGrad: false };
    t.same(rest, { ...expected, bits, mappedBits: bits, mappedOffset: 0 }, what);
    t.ok(isSameNumbers(numbers.map(fromPython), numbersOf(tensor)), `${what}: numbers`);
  }
});

t.test('we find in what torch.save writes the same bits', async (t) => {
  const records = await torchSays(saved, 'torch-saves.py', [t.testdir()]);
  t.equal(records.length, 24);
  for (const { path, name, dtype, shape, bits } of records) {
    const read = await readTorchSave(path);
    const { rows, columns, bytes } = read.tensor;
    t.same([read.name, read.tensor.dtype, rows, columns], [name, dtype, ...shape], path);
    t.equal(Buffer.from(bytes).toString('hex'), bits);
  }
});

function numbersOf({ dtype, bytes }: DenseTensor): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length / elementBytes[dtype];
  const halves = { BF16: bf16ToFloat32, F16: f16ToFloat32 };
  return Array.from({ length: count }, (_, index) =>
    dtype === 'F32' ? view.getFloat32(index * 4, true) : halves[dtype](view.getUint16(index * 2, true)),
  );
}

/** Python's repr of a float is read back exactly; only its names for the unusual ones differ. */
function fromPython(number: string): number {
  return Number(number.replace('inf', 'Infinity').replace('nan', 'NaN'));
}

/** Object.is: 0 and -0 are different, NaN is NaN. */
function isSameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((number, index) => Object.is(number, b[index]));
}
