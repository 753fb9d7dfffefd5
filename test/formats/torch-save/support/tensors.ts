import fc from 'fast-check';
import { PreambleError } from '../../../../src/errors.ts';
import { type DenseTensor, elementBytes } from '../../../../src/formats/torch-save/dense-tensor.ts';
import { tensorProgram } from '../../../../src/formats/torch-save/pickle-program.ts';
import { writeStoredZip } from '../../../../src/formats/torch-save/zip-write.ts';

/** Any matrix of any bits: NaNs, infinities and subnormals too. */
export const anyTensor: fc.Arbitrary<DenseTensor> = fc
  .record({
    dtype: fc.constantFrom('BF16', 'F16', 'F32'),
    rows: fc.integer({ min: 1, max: 9 }),
    columns: fc.integer({ min: 1, max: 300 }),
  })
  .chain(({ dtype, rows, columns }) => {
    const length = rows * columns * elementBytes[dtype];
    const bytes = fc.uint8Array({ minLength: length, maxLength: length });
    return bytes.map((bytes) => ({ dtype, rows, columns, bytes }));
  });

export const small: DenseTensor = {
  dtype: 'F32',
  rows: 2,
  columns: 3,
  bytes: Uint8Array.from({ length: 24 }, (_, index) => index),
};

/** The program for `small`, a character a byte, so that a test can put other ones in their place. */
export const smallProgram = Buffer.from(tensorProgram(small)).toString('latin1');

/** An archive that is right in all but what it is given. */
export function archiveOf(files: Record<string, Uint8Array | string | null>, folder = 'archive'): Uint8Array {
  const whole = { 'data.pkl': smallProgram, byteorder: 'little', 'data/0': small.bytes, version: '3\n', ...files };
  return writeStoredZip(
    Object.entries(whole).flatMap(([name, data]) =>
      data === null
        ? []
        : [{ name: `${folder}/${name}`, data: typeof data === 'string' ? Buffer.from(data, 'latin1') : data }],
    ),
  );
}

/** The `format_invalid` that `read` threw, null if none; any other error is thrown on, and so is one that would not fit a line. */
export function refusal(read: () => unknown): PreambleError | null {
  try {
    read();
    return null;
  } catch (error) {
    const isRefusal = error instanceof PreambleError && error.code === 'format_invalid';
    if (isRefusal && /^[^\n]{1,600}$/.test(error.message)) return error;
    throw error;
  }
}
