import { PreambleError } from '../../errors.ts';
import { type GgufMetadata, readNumber, readString } from '../../formats/gguf/metadata.ts';

/**
 * llama.cpp's converter keeps of the llama3 scaling only the resulting factors. All published models (Llama 3.1, 3.2, 3.3) used these
 * parameters and differ in `factor`, which is the largest of the factors.
 */
const LLAMA3 = { low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 } as const;
/** Relative; the factors are stored as float32. */
const FACTOR_TOLERANCE = 1e-4;

/** What Hugging Face calls `rope_scaling`, or null. Throws `model_unsupported` for a scaling that the four architectures don't share. */
export function ropeScalingFromGguf(
  metadata: GgufMetadata,
  prefix: string,
  rope: { headDim: number; ropeTheta: number; ropeFactors: Float32Array | null },
): Record<string, unknown> | null {
  const type = readString(metadata, `${prefix}.rope.scaling.type`) ?? 'none';
  if (rope.ropeFactors !== null) {
    const scaling = llama3Scaling(rope.ropeFactors, rope.headDim, rope.ropeTheta);
    if (scaling === null || type !== 'none') throw unsupported('its own factor for each frequency');
    return scaling;
  }
  if (type === 'none') return null;
  const factor = readNumber(metadata, `${prefix}.rope.scaling.factor`);
  if (type !== 'linear' || factor === undefined) throw unsupported(`"${type.slice(0, 40)}" RoPE scaling`);
  return { rope_type: 'linear', factor };
}

/**
 * f_i = 1 for wavelengths below L/h, `factor` above L/l, and in between 1 / ((1 - s)/factor + s) with s = (L/w - l)/(h - l);
 * w = 2 pi theta^(2i/headDim). The parameters if they give these factors, else null. `factors`: [headDim / 2].
 */
function llama3Scaling(factors: Float32Array, headDim: number, theta: number): Record<string, unknown> | null {
  const { low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: length } = LLAMA3;
  const factor = Math.max(...factors);
  if (factors.length !== headDim / 2 || !(factor >= 1)) return null;
  const matches = factors.every((given, index) => {
    const wavelength = 2 * Math.PI * theta ** ((2 * index) / headDim);
    const smooth = Math.min(1, Math.max(0, (length / wavelength - low) / (high - low)));
    const expected = 1 / ((1 - smooth) / factor + smooth);
    return Math.abs(given - expected) <= FACTOR_TOLERANCE * expected;
  });
  return matches ? { rope_type: 'llama3', factor, ...LLAMA3 } : null;
}

function unsupported(what: string): PreambleError {
  return new PreambleError('model_unsupported', `The GGUF file has ${what}, which Preamble can't convert.`, {
    action: "Use the model's original Hugging Face files.",
  });
}
