import type { SamplingParameters } from '../generation.ts';

/** Whether these parameters leave every logit as the model gave it. */
export function leavesLogitsAlone(parameters: SamplingParameters): boolean {
  const { logitBias, repetitionPenalty, frequencyPenalty, presencePenalty } = parameters;
  return logitBias.size === 0 && repetitionPenalty === 1 && frequencyPenalty === 0 && presencePenalty === 0;
}

/**
 * Changes logits in place, in vLLM's order (`vllm/v1/sample/sampler.py`, steps 5b and 6): bias; repetition over prompt and output
 * (logit > 0 ? logit / r : logit * r; Keskar et al., CTRL, arXiv 1909.05858, with the sign rule of transformers); then
 * OpenAI's frequency (times occurrences) and presence (once), over the output alone.
 * `counts` is scratch `[vocabSize]`, zero before and after.
 */
export function adjustLogits(
  logits: Float32Array,
  parameters: SamplingParameters,
  prompt: readonly number[],
  output: readonly number[],
  counts: Int32Array,
): void {
  for (const [id, bias] of parameters.logitBias) {
    if (id < logits.length) logits[id] = (logits[id] ?? 0) + bias;
  }
  if (parameters.repetitionPenalty !== 1) {
    repeat(logits, parameters.repetitionPenalty, prompt, counts);
    repeat(logits, parameters.repetitionPenalty, output, counts);
    clear(counts, prompt);
    clear(counts, output);
  }
  const { frequencyPenalty, presencePenalty } = parameters;
  if (frequencyPenalty === 0 && presencePenalty === 0) return;
  for (const id of output) counts[id] = (counts[id] ?? 0) + 1;
  for (const id of output) {
    const count = counts[id] ?? 0;
    if (count === 0) continue;
    logits[id] = (logits[id] ?? 0) - frequencyPenalty * count - presencePenalty;
    counts[id] = 0;
  }
}

function repeat(logits: Float32Array, penalty: number, ids: readonly number[], seen: Int32Array): void {
  for (const id of ids) {
    if (seen[id] !== 0) continue;
    seen[id] = 1;
    const logit = logits[id] ?? 0;
    logits[id] = logit > 0 ? logit / penalty : logit * penalty;
  }
}

function clear(counts: Int32Array, ids: readonly number[]): void {
  for (const id of ids) counts[id] = 0;
}
