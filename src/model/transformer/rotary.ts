import type { ModelConfig, RopeScaling } from '../config.ts';

/** Cosines and sines of RoPE's angles, `[positions, headDim / 2]` float32 each, row-major. */
export interface RotaryTables {
  cos: Float32Array;
  sin: Float32Array;
}

/**
 * The first `positions` rows for a sequence of that length. Angles are computed in float64 and rounded once; transformers rounds the
 * inverse frequencies to float32 first, which is followed here so that long positions agree.
 */
export function rotaryTables(config: ModelConfig, positions: number): RotaryTables {
  const frequencies = inverseFrequencies(config, positions);
  const width = frequencies.length;
  const cos = new Float32Array(positions * width);
  const sin = new Float32Array(positions * width);
  for (let position = 0; position < positions; position++) {
    frequencies.forEach((frequency, index) => {
      const angle = Math.fround(position * frequency);
      cos[position * width + index] = Math.cos(angle);
      sin[position * width + index] = Math.sin(angle);
    });
  }
  return { cos, sin };
}

/** θ^(−2i / headDim), scaled as the checkpoint asks. `[headDim / 2]` float32 */
function inverseFrequencies(config: ModelConfig, sequenceLength: number): Float32Array {
  const { headDim, ropeScaling } = config;
  const base = dynamicBase(config, sequenceLength);
  return Float32Array.from({ length: headDim / 2 }, (_, index) =>
    scaled(base ** ((-2 * index) / headDim), ropeScaling),
  );
}

/** NTK-aware scaling: θ' = θ · ((s · n / original) − (s − 1))^(d / (d − 2)) for sequences of n tokens, beyond the original maximum. */
function dynamicBase({ ropeTheta, ropeScaling, headDim }: ModelConfig, sequenceLength: number): number {
  if (ropeScaling.kind !== 'dynamic' || sequenceLength <= ropeScaling.originalMaxPositions) return ropeTheta;
  const { factor, originalMaxPositions } = ropeScaling;
  const growth = (factor * sequenceLength) / originalMaxPositions - (factor - 1);
  return ropeTheta * growth ** (headDim / (headDim - 2));
}

function scaled(frequency: number, scaling: RopeScaling): number {
  if (scaling.kind === 'linear') return frequency / scaling.factor;
  if (scaling.kind !== 'llama3') return frequency;
  // Llama 3.1: high frequencies stay, low ones are divided, those between are blended.
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalMaxPositions } = scaling;
  const wavelength = (2 * Math.PI) / frequency;
  if (wavelength < originalMaxPositions / highFrequencyFactor) return frequency;
  if (wavelength > originalMaxPositions / lowFrequencyFactor) return frequency / factor;
  const smooth = (originalMaxPositions / wavelength - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
  return ((1 - smooth) * frequency) / factor + smooth * frequency;
}
