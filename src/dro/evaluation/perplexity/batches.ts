/** A text whose end is scored. */
export interface ScoredText {
  readonly ids: readonly number[];
  /** The first token that is scored, at least 1: nothing foretells the first. */
  readonly from: number;
}

export interface Batch {
  readonly rows: number;
  readonly tokens: number;
  readonly scored: number;
  /** Indices of the texts, one a row. */
  readonly texts: readonly number[];
}

/** Rows are padded to a multiple of this: each width costs a session, which takes a second to open. */
const BUCKET_TOKENS = 64;
/** Positions computed together, rows by tokens: enough for the products to be near the cores' limit, and 100 MB of logits. */
const BATCH_POSITIONS = 512;

/** Cuts texts into batches of few shapes, shortest first; the last batch of a width has empty rows where it is not full. */
export function planBatches(texts: readonly ScoredText[]): Batch[] {
  const widths = new Map<number, number[]>();
  for (const [index, { ids }] of texts.entries()) {
    const width = Math.ceil(ids.length / BUCKET_TOKENS) * BUCKET_TOKENS;
    widths.set(width, [...(widths.get(width) ?? []), index]);
  }
  return [...widths]
    .sort(([a], [b]) => a - b)
    .flatMap(([tokens, members]) => {
      const rows = Math.min(members.length, Math.max(1, Math.floor(BATCH_POSITIONS / tokens)));
      const scored = rows * Math.max(...members.map((index) => scoredTokens(texts[index])));
      return Array.from({ length: Math.ceil(members.length / rows) }, (_, batch) => ({
        rows,
        tokens,
        scored,
        texts: members.slice(batch * rows, (batch + 1) * rows),
      }));
    });
}

export interface BatchInputs {
  tokens: BigInt64Array;
  positions: BigInt64Array;
  targets: BigInt64Array;
}

/** The score graph's inputs. Spare positions score token 0 after the first token of the first row; they are not read. */
export function batchInputs(batch: Batch, texts: readonly ScoredText[], vocabSize: number): BatchInputs {
  const tokens = new BigInt64Array(batch.rows * batch.tokens);
  const positions = new BigInt64Array(batch.scored);
  const targets = BigInt64Array.from({ length: batch.scored }, (_, at) => BigInt(at * vocabSize));
  let at = 0;
  for (const [row, index] of batch.texts.entries()) {
    const { ids, from } = textAt(texts, index);
    const start = row * batch.tokens;
    for (const [place, id] of ids.entries()) {
      tokens[start + place] = BigInt(id);
      if (place < from) continue;
      positions[at] = BigInt(start + place - 1);
      targets[at] = BigInt(at * vocabSize + id);
      at++;
    }
  }
  return { tokens, positions, targets };
}

/** Mean negative log-likelihood of each text of the batch, from the scores of its positions in order. */
export function surprisesOf(batch: Batch, texts: readonly ScoredText[], scores: Float32Array): number[] {
  let at = 0;
  return batch.texts.map((index) => {
    const count = scoredTokens(textAt(texts, index));
    const sum = scores.subarray(at, at + count).reduce((total, score) => total + score, 0);
    at += count;
    return -sum / count;
  });
}

function textAt(texts: readonly ScoredText[], index: number): ScoredText {
  const text = texts[index];
  if (text === undefined) throw new RangeError(`there is no text ${index}`);
  return text;
}

function scoredTokens(text: ScoredText | undefined): number {
  return text === undefined ? 0 : text.ids.length - text.from;
}
