import { PreambleError } from '../../errors.ts';

/** Bytes of one element. */
export const elementBytes = { BF16: 2, F16: 2, F32: 4 } as const;

export type DenseDtype = keyof typeof elementBytes;

/** A matrix as torch keeps it in memory. */
export interface DenseTensor {
  readonly dtype: DenseDtype;
  readonly rows: number;
  readonly columns: number;
  /** `[rows, columns]`, row-major, little-endian. */
  readonly bytes: Uint8Array;
}

/** 4096 rows, more than a context has room for, of 16,384 float32 values, as wide as any model today. */
export const MAX_TENSOR_BYTES = 4096 * 16_384 * 4;

export function invalidTorchSave(path: string, what: string, cause?: unknown): PreambleError {
  return new PreambleError('format_invalid', `${path} is not a usable torch.save file: ${what}.`, {
    action: 'Save the rows alone with torch.save(rows.detach().cpu().contiguous(), path), or as safetensors.',
    cause,
  });
}
