import { PreambleError } from '../errors.ts';
import { bf16ToFloat32, encodeBf16, f16ToFloat32, float32ToBf16, float32ToF16 } from '../formats/half-precision.ts';
import type { SafetensorsDtype } from '../formats/safetensors-header.ts';

export type RowDtype = 'F32' | 'F16' | 'BF16';

export function isRowDtype(dtype: SafetensorsDtype): dtype is RowDtype {
  return dtype === 'F32' || dtype === 'F16' || dtype === 'BF16';
}

/** Values in a matrix' own dtype, rounded to nearest as a server would. `what` is named where one does not fit. Throws `prompt_mismatch`. */
export function encodeRows(values: Float32Array, dtype: RowDtype, what: string): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(Float32Array.from(values).buffer);
  const halves = new Uint16Array(values.length);
  if (dtype === 'BF16') {
    encodeBf16(values, halves);
  } else {
    for (const [index, value] of values.entries()) {
      const half = float32ToF16(value);
      if ((half & 0x7fff) >= 0x7c00) {
        throw new PreambleError('prompt_mismatch', `${what} holds ${value}, which the model's dtype F16 cannot.`, {
          action: 'Graft onto a checkpoint in BF16 or F32.',
        });
      }
      halves[index] = half;
    }
  }
  return new Uint8Array(halves.buffer);
}

/** What a server reads of a value that was stored in that dtype. */
export function roundTo(value: number, dtype: RowDtype): number {
  if (dtype === 'F32') return Math.fround(value);
  return dtype === 'BF16' ? bf16ToFloat32(float32ToBf16(value)) : f16ToFloat32(float32ToF16(value));
}
