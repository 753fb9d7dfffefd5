export interface NearDuplicate {
  /** Indices of the two signatures, `first` < `second`. */
  first: number;
  second: number;
  similarity: number;
}

/**
 * For each signature the earlier one that is most like it, if their `similarity` is at least `threshold` (above 0) and `compared` wants the
 * pair. What was found is not compared with later ones: it has to go, and a file of copies is read in linear time and told once a line.
 *
 * Pairs that share no gram are never looked at: each gram knows which signatures hold it, and one pass over a signature's grams counts what it
 * shares with every earlier one.
 */
export function findNearDuplicates(
  signatures: readonly ReadonlySet<string>[],
  threshold: number,
  compared: (first: number, second: number) => boolean,
): NearDuplicate[] {
  const holders = new Map<string, number[]>();
  /** For each earlier signature, how many grams it shares with the one at hand; zeros between two of them. */
  const shared = new Int32Array(signatures.length);
  const found: NearDuplicate[] = [];
  for (const [second, signature] of signatures.entries()) {
    const lists = [...signature].map((gram) => listOf(holders, gram));
    let best: NearDuplicate | null = null;
    for (const first of countShared(lists, shared)) {
      const common = shared[first] ?? 0;
      shared[first] = 0;
      // Jaccard's index, as in similarity.ts.
      const similarity = common / (signature.size + (signatures[first]?.size ?? 0) - common);
      if (similarity < threshold || !compared(first, second)) continue;
      if (best === null || isCloser({ first, second, similarity }, best)) best = { first, second, similarity };
    }
    if (best !== null) found.push(best);
    else for (const list of lists) list.push(second);
  }
  return found;
}

/** Adds up `shared`, and returns for whom it is no longer zero. */
function countShared(lists: readonly (readonly number[])[], shared: Int32Array): number[] {
  const touched: number[] = [];
  for (const list of lists) {
    for (const index of list) {
      const count = shared[index] ?? 0;
      if (count === 0) touched.push(index);
      shared[index] = count + 1;
    }
  }
  return touched;
}

function isCloser(a: NearDuplicate, b: NearDuplicate): boolean {
  return a.similarity > b.similarity || (a.similarity === b.similarity && a.first < b.first);
}

function listOf(holders: Map<string, number[]>, gram: string): number[] {
  const known = holders.get(gram);
  if (known !== undefined) return known;
  const list: number[] = [];
  holders.set(gram, list);
  return list;
}
