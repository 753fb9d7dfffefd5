import type { SamplingParameters } from '../../../src/engine/generation.ts';

/** Parameters that leave the model's distribution as it is, with some of them changed. */
export function parameters(changes: Partial<SamplingParameters> = {}): SamplingParameters {
  return {
    temperature: 1,
    topP: 1,
    topK: 0,
    minP: 0,
    seed: 1,
    presencePenalty: 0,
    frequencyPenalty: 0,
    repetitionPenalty: 1,
    logitBias: new Map(),
    ...changes,
  };
}
