import { PreambleError } from '../../errors.ts';
import { type DenseTensor, elementBytes, MAX_TENSOR_BYTES } from './dense-tensor.ts';
import { STORAGE_KEY, tensorProgram } from './pickle-program.ts';
import { writeStoredZip } from './zip-write.ts';

/** torch.save's archives have had this version since 1.6. */
export const ARCHIVE_VERSION = '3\n';

/**
 * The bytes that `torch.save` would write for this matrix, for torch 1.13 and later to load with `weights_only=True`. The same tensor
 * makes the same bytes.
 */
export function encodeTorchSave(tensor: DenseTensor): Uint8Array {
  const { dtype, rows, columns, bytes } = tensor;
  const length = rows * columns * elementBytes[dtype];
  const isMatrix = Number.isSafeInteger(rows) && Number.isSafeInteger(columns) && rows > 0 && columns > 0;
  if (!isMatrix || length > MAX_TENSOR_BYTES || bytes.length !== length) {
    throw new PreambleError('internal', `A ${dtype} tensor [${rows}, ${columns}] cannot have ${bytes.length} bytes.`);
  }
  return writeStoredZip([
    { name: 'archive/data.pkl', data: tensorProgram(tensor) },
    { name: 'archive/byteorder', data: Buffer.from('little') },
    { name: `archive/data/${STORAGE_KEY}`, data: bytes },
    { name: 'archive/version', data: Buffer.from(ARCHIVE_VERSION) },
  ]);
}

/** The same in base64, as ASCII bytes that can be put into JSON between quotes as they are. */
export function encodeTorchSaveBase64(tensor: DenseTensor): Buffer {
  const { buffer, byteOffset, byteLength } = encodeTorchSave(tensor);
  return Buffer.from(Buffer.from(buffer, byteOffset, byteLength).toString('base64'), 'latin1');
}
