/** Scratch of one vocabulary's size. */
export interface Workspace {
  /** Logits after bias and penalties. */
  readonly logits: Float32Array;
  /** Occurrences of each token; zero between uses. */
  readonly counts: Int32Array;
  /** Heap of the largest values. */
  readonly heap: Float32Array;
  /** The tokens that may be drawn, ascending, and their unnormalised probabilities. */
  readonly ids: Int32Array;
  readonly weights: Float32Array;
  /** 0, 1, 2, … vocabSize - 1 */
  readonly everyId: Int32Array;
}

const workspaces = new Map<number, Workspace>();

/** One workspace serves every sampler of a vocabulary's size: a sampler uses it only within one synchronous call. */
export function workspaceFor(vocabSize: number): Workspace {
  const known = workspaces.get(vocabSize);
  if (known !== undefined) return known;
  const made: Workspace = {
    logits: new Float32Array(vocabSize),
    counts: new Int32Array(vocabSize),
    heap: new Float32Array(vocabSize),
    ids: new Int32Array(vocabSize),
    weights: new Float32Array(vocabSize),
    everyId: Int32Array.from({ length: vocabSize }, (_, id) => id),
  };
  workspaces.set(vocabSize, made);
  return made;
}
