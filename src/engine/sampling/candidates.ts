import type { SamplingParameters } from '../generation.ts';
import { keepNucleus } from './nucleus.ts';
import { exponentiate } from './softmax.ts';
import { kthLargest } from './top-values.ts';
import type { Workspace } from './workspace.ts';

export interface Candidates {
  /** How many of the workspace's `ids` and `weights` are in use. */
  readonly count: number;
  /** Sum of their weights. */
  readonly total: number;
}

/**
 * The tokens that may be drawn, ascending, in the workspace's `ids`, with their unnormalised probabilities in `weights`: temperature,
 * then min_p, top_k and top_p in vLLM's order (`vllm/v1/sample/sampler.py`, step 7). `temperature` is above 0, and
 * `logits[likeliest]` the largest.
 */
export function selectCandidates(
  logits: Float32Array,
  likeliest: number,
  parameters: SamplingParameters,
  workspace: Workspace,
): Candidates {
  const { temperature, topK, topP, minP } = parameters;
  const { ids, weights, heap } = workspace;
  const maximum = logits[likeliest] ?? 0;
  // p >= minP * pmax  <=>  logit >= max + T ln minP
  const likelyFrom = minP > 0 ? maximum + temperature * Math.log(minP) : -Infinity;
  // As in vLLM and transformers, what ties with the k-th stays.
  const topFrom = topK > 0 && topK < logits.length ? kthLargest(logits, topK, heap) : -Infinity;
  const count = keepFrom(logits, Math.max(likelyFrom, topFrom), workspace);
  const total = exponentiate(weights, count, maximum, 1 / temperature);
  if (topP >= 1) return { count, total };
  const kept = keepNucleus(ids, weights, count, total, topP);
  return { count: kept, total: sum(weights, kept) };
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
