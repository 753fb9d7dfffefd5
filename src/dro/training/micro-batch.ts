import { type HostData, hostTensor, type RuntimeTensor } from '../../graph/session.ts';
import { type TrainingShape, trainingInputs } from './training-graph.ts';
import { fedTokens, type TrainingRow } from './training-row.ts';

/** What each row and token counts in the whole batch's loss. */
export interface BatchShares {
  /** 1 / rows */
  row: number;
  /** Of a judged answer token of a harmful row, the first token of the answer apart. */
  refuse: number;
  /** The same for harmless rows. */
  keep: number;
  /** How many times as much an answer's first token counts: it is where the model decides whether to refuse. */
  firstToken: number;
}

/** Shares that make each term a weighted mean over the batch. */
export function sharesOf(rows: readonly TrainingRow[], firstToken: number): BatchShares {
  const judged = (harmful: boolean) =>
    rows
      .filter((row) => row.harmful === harmful && row.answer.length > 0)
      .reduce((sum, { answer }) => sum + firstToken + answer.length - 1, 0);
  const share = (count: number) => (count === 0 ? 0 : 1 / count);
  return { row: share(rows.length), refuse: share(judged(true)), keep: share(judged(false)), firstToken };
}

/** Rows at once, at most `most`, so that a batch's micro-batches are alike: rows that only fill up cost as much as others. */
export function evenMicroBatch(batch: number, most: number): number {
  return Math.ceil(batch / Math.ceil(batch / most));
}

/** The inputs of one run besides the soft prompt; rows that are missing and positions that are spare weigh nothing. */
export function microBatchInputs(
  rows: readonly TrainingRow[],
  shape: TrainingShape,
  shares: BatchShares,
  hiddenSize: number,
): Record<string, RuntimeTensor> {
  const { positions, alternatives } = shape;
  const tokens = new BigInt64Array(shape.rows * shape.tokens);
  const lastIndices = new BigInt64Array(shape.rows);
  const reference = new Float32Array(shape.rows * hiddenSize);
  const labels = new Float32Array(shape.rows);
  const rowWeights = new Float32Array(shape.rows);
  const answerIndices = new BigInt64Array(positions);
  const targets = new BigInt64Array(positions * alternatives);
  const targetProbabilities = new Float32Array(positions * alternatives);
  const refuseWeights = new Float32Array(positions);
  const keepWeights = new Float32Array(positions);

  let position = 0;
  for (const [index, row] of rows.entries()) {
    const fed = [...row.query, ...row.answer].slice(0, fedTokens(row));
    tokens.set(BigInt64Array.from(fed, BigInt), index * shape.tokens);
    lastIndices[index] = BigInt(row.query.length - 1);
    if (row.reference !== null) reference.set(row.reference, index * hiddenSize);
    labels[index] = row.harmful ? 1 : 0;
    rowWeights[index] = shares.row;
    for (const [step, token] of row.answer.entries()) {
      const { ids, probabilities } = row.targets?.[step] ?? { ids: [token], probabilities: [1] };
      // the state that predicts the answer's first token is the query's last
      answerIndices[position] = BigInt(index * shape.tokens + row.query.length - 1 + step);
      targets.set(BigInt64Array.from(ids, BigInt), position * alternatives);
      targetProbabilities.set(probabilities, position * alternatives);
      const factor = step === 0 ? shares.firstToken : 1;
      if (row.harmful) refuseWeights[position] = factor * shares.refuse;
      else keepWeights[position] = factor * shares.keep;
      position++;
    }
  }

  const input = (data: HostData, ...dimensions: number[]) => hostTensor(data, dimensions);
  return {
    [trainingInputs.tokens]: input(tokens, shape.rows, shape.tokens),
    [trainingInputs.lastIndices]: input(lastIndices, shape.rows),
    [trainingInputs.reference]: input(reference, shape.rows, hiddenSize),
    [trainingInputs.labels]: input(labels, shape.rows),
    [trainingInputs.rowWeights]: input(rowWeights, shape.rows),
    [trainingInputs.answerIndices]: input(answerIndices, positions),
    [trainingInputs.targets]: input(targets, positions, alternatives),
    [trainingInputs.targetProbabilities]: input(targetProbabilities, positions, alternatives),
    [trainingInputs.refuseWeights]: input(refuseWeights, positions),
    [trainingInputs.keepWeights]: input(keepWeights, positions),
  };
}
