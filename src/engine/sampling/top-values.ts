import type { TokenLogprob } from '../generation.ts';

/**
 * The k-th largest value, k >= 1, by a min-heap of the k largest so far: O(n + k log n log k) on values in no order, no sort of the
 * whole. `heap` is scratch of at least k elements.
 */
export function kthLargest(values: Float32Array, k: number, heap: Float32Array): number {
  const size = Math.min(k, values.length);
  for (let i = 0; i < size; i++) heap[i] = values[i] ?? 0;
  for (let i = (size >> 1) - 1; i >= 0; i--) siftDown(heap, i, size);
  let smallest = heap[0] ?? -Infinity;
  for (let i = nextAbove(values, smallest, size); i < values.length; i = nextAbove(values, smallest, i + 1)) {
    heap[0] = values[i] ?? 0;
    siftDown(heap, 0, size);
    smallest = heap[0];
  }
  return smallest;
}

/** The first index from `start` on whose value is above the threshold; the length if there is none. */
function nextAbove(values: Float32Array, threshold: number, start: number): number {
  let i = start;
  while (i < values.length && !((values[i] ?? 0) > threshold)) i++;
  return i;
}

function siftDown(heap: Float32Array, start: number, size: number): void {
  const value = heap[start] ?? 0;
  let at = start;
  for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
    if (child + 1 < size && (heap[child + 1] ?? 0) < (heap[child] ?? 0)) child++;
    const smaller = heap[child] ?? 0;
    if (value <= smaller) break;
    heap[at] = smaller;
    at = child;
  }
  heap[at] = value;
}

/** The `count` likeliest tokens, best first, ties by lower id, none of probability 0; `logNormalizer` is ln sum exp of all logits. `count` is small (at most 20). */
export function topLogprobs(logits: Float32Array, logNormalizer: number, count: number): TokenLogprob[] {
  const ids: number[] = [];
  const values: number[] = [];
  let smallest = count > 0 ? -Infinity : Infinity;
  for (let id = nextAbove(logits, smallest, 0); id < logits.length; id = nextAbove(logits, smallest, id + 1)) {
    const value = logits[id] ?? 0;
    let at = Math.min(ids.length, count - 1);
    for (; at > 0 && (values[at - 1] ?? 0) < value; at--) {
      ids[at] = ids[at - 1] ?? 0;
      values[at] = values[at - 1] ?? 0;
    }
    ids[at] = id;
    values[at] = value;
    if (ids.length === count) smallest = values[count - 1] ?? 0;
  }
  return ids.map((tokenId, i) => ({ tokenId, logprob: (values[i] ?? 0) - logNormalizer }));
}
