import type { GeneratedToken, SamplingParameters } from '../generation.ts';
import { keepNucleus } from './nucleus.ts';
import { adjustLogits, leavesLogitsAlone } from './penalties.ts';
import { uniformAt } from './random.ts';
import { argmax, exponentiate } from './softmax.ts';
import { kthLargest, topLogprobs } from './top-values.ts';
import { type Workspace, workspaceFor } from './workspace.ts';

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

  return {
    next(logits, prompt, output) {
      const changed = adjusted(logits, prompt, output);
      const likeliest = argmax(changed);
      const tokenId =
        parameters.temperature < GREEDY_BELOW
          ? likeliest
          : draw(changed, likeliest, parameters, output.length, workspace);
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

/** Temperature, then min_p, top_k and top_p in vLLM's order (`vllm/v1/sample/sampler.py`, step 7), then one draw from what is left. */
function draw(
  logits: Float32Array,
  likeliest: number,
  parameters: SamplingParameters,
  position: number,
  workspace: Workspace,
): number {
  const { temperature, topK, topP, minP, seed } = parameters;
  const { ids, weights } = workspace;
  const maximum = logits[likeliest] ?? 0;
  // p >= minP * pmax  <=>  logit >= max + T ln minP
  let lowest = minP > 0 ? maximum + temperature * Math.log(minP) : -Infinity;
  // As in vLLM and transformers, what ties with the k-th stays.
  if (topK > 0 && topK < logits.length) lowest = Math.max(lowest, kthLargest(logits, topK, workspace.heap));
  let count = keepFrom(logits, lowest, workspace);
  let total = exponentiate(weights, count, maximum, 1 / temperature);
  if (topP < 1) {
    count = keepNucleus(ids, weights, count, total, topP);
    total = sum(weights, count);
  }
  return pick(ids, weights, count, total * uniformAt(seed, position));
}

/** Gathers the tokens whose logit is at least `lowest` into `ids` and their logits into `weights`; returns how many. */
function keepFrom(logits: Float32Array, lowest: number, { ids, weights, everyId }: Workspace): number {
  if (lowest === -Infinity) {
    ids.set(everyId);
    weights.set(logits);
    return logits.length;
  }
  let count = 0;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id] ?? 0;
    if (logit < lowest) continue;
    ids[count] = id;
    weights[count] = logit;
    count++;
  }
  return count;
}

function sum(weights: Float32Array, count: number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += weights[i] ?? 0;
  return total;
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
