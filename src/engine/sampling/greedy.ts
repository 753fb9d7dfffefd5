import type { SamplingParameters } from '../generation.ts';

/** The likeliest token always, and nothing that changes how likely one is. */
export const greedySampling: SamplingParameters = {
  temperature: 0,
  topP: 1,
  topK: 0,
  minP: 0,
  seed: 0,
  presencePenalty: 0,
  frequencyPenalty: 0,
  repetitionPenalty: 1,
  logitBias: new Map(),
};
