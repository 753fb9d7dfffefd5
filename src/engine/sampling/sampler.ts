import type { GeneratedToken, SamplingParameters } from '../generation.ts';
import { selectCandidates } from './candidates.ts';
import { adjustLogits, leavesLogitsAlone } from './penalties.ts';
import { uniformAt } from './random.ts';
import { argmax, exponentiate } from './softmax.ts';
import { topLogprobs } from './top-values.ts';
import { workspaceFor } from './workspace.ts';

/** As vLLM has it (`_SAMPLING_EPS`): so cold that only the likeliest token is left, and 1 / temperature is still finite. */
const GREEDY_BELOW = 1e-5;

export interface Sampler {
  /**
   * The next token. `logits` `[vocabSize]` float32 as the model gave them, left unchanged; `prompt` and `output` are the token ids so
   * far. The draw depends on the seed and on `output.length` only. `logprob` is NaN where none were asked for.
   * Throws PreambleError `internal` on logits that are NaN or not finite at their maximum.
   */
  next(logits: Float32Array, prompt: readonly number[], output: readonly number[]): GeneratedToken;
}

/** `reportedLogprobs` is the number of alternatives reported per token, null for no logprobs at all, which saves a pass. */
export function createSampler(
  parameters: SamplingParameters,
  vocabSize: number,
  reportedLogprobs: number | null,
): Sampler {
  const workspace = workspaceFor(vocabSize);
  const unadjusted = leavesLogitsAlone(parameters);

  function adjusted(logits: Float32Array, prompt: readonly number[], output: readonly number[]): Float32Array {
    if (unadjusted) return logits;
    workspace.logits.set(logits);
    adjustLogits(workspace.logits, parameters, prompt, output, workspace.counts);
    return workspace.logits;
  }

  function draw(changed: Float32Array, likeliest: number, position: number): number {
    const { count, total } = selectCandidates(changed, likeliest, parameters, workspace);
    return pick(workspace.ids, workspace.weights, count, total * uniformAt(parameters.seed, position));
  }

  return {
    next(logits, prompt, output) {
      const changed = adjusted(logits, prompt, output);
      const likeliest = argmax(changed);
      const tokenId = parameters.temperature < GREEDY_BELOW ? likeliest : draw(changed, likeliest, output.length);
      if (reportedLogprobs === null) return { tokenId, logprob: Number.NaN, top: [] };
      const maximum = logits[unadjusted ? likeliest : argmax(logits)] ?? 0;
      workspace.weights.set(logits);
      const normalizer = maximum + Math.log(exponentiate(workspace.weights, vocabSize, maximum, 1));
      return {
        tokenId,
        logprob: (logits[tokenId] ?? 0) - normalizer,
        top: topLogprobs(logits, normalizer, reportedLogprobs),
      };
    },
  };
}

/** Inverse of the cumulative distribution: the first token at which the running sum exceeds `target`. */
function pick(ids: Int32Array, weights: Float32Array, count: number, target: number): number {
  let mass = 0;
  let last = 0;
  for (let i = 0; i < count; i++) {
    const weight = weights[i] ?? 0;
    if (weight === 0) continue;
    mass += weight;
    last = ids[i] ?? 0;
    if (mass > target) break;
  }
  return last;
}
