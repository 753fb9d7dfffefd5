import { computeStates } from '../../src/dro/anchors/states.ts';
import { openCheckpoint } from '../../src/model/checkpoint.ts';
import { openEmbeddingTable } from '../../src/model/embedding-table.ts';

/** What both sides are given, as JSON: numbers are float32 values, which JSON keeps to the bit. */
export interface TrainTask {
  directory: string;
  threads: number;
  /** Rows computed at once. */
  microBatch: number;
  learningRate: number;
  clip: number;
  weightDecay: number;
  weights: { refusal: number; harmfulness: number; preservation: number };
  /** The template's tokens around the soft prompt. */
  before: number[];
  after: number[];
  /** `[virtualTokens, hiddenSize]` */
  softPrompt: number[][];
  /** All of one length. */
  queries: number[][];
  /** 1 or 0 a query. */
  labels: number[];
  /** `[queries, hiddenSize]`: last states under the text. */
  reference: number[][];
  /** `[components, hiddenSize]`, orthonormal rows. */
  principal: number[][];
  refusal: number[];
  harmfulness: number[];
}

export interface TaskShape {
  batch: number;
  prefixTokens: number;
  queryTokens: number;
  microBatch: number;
  threads: number;
}

const TEMPLATE_TOKENS = 4;
const COMPONENTS = 4;
/** Away from the text, so that no term is at its start, where it is the same whatever a model computes. */
const MOVE = 0.05;

/** A batch of the reference's size with made-up tokens: which ones they are costs nothing. */
export async function makeTask(directory: string, shape: TaskShape): Promise<TrainTask> {
  const { batch, prefixTokens, queryTokens, microBatch, threads } = shape;
  const checkpoint = await openCheckpoint(directory);
  const { hiddenSize, vocabSize } = checkpoint.config;
  const tokens = (count: number, seed: number) =>
    Array.from({ length: count }, (_, index) => (100 + seed * 104_729 + index * 7919) % vocabSize);
  const [before, after] = [tokens(TEMPLATE_TOKENS, 1), tokens(TEMPLATE_TOKENS, 2)];
  const text = tokens(prefixTokens - 2 * TEMPLATE_TOKENS, 3);
  const queries = Array.from({ length: batch }, (_, row) => tokens(queryTokens, 4 + row));

  const table = openEmbeddingTable(checkpoint);
  const embedded = new Float32Array(text.length * hiddenSize);
  table.read(text, embedded, 0);
  table.close();
  const layout = { before: [...before, ...text, ...after], prompt: null, after: [], rows: queries };
  const states = await computeStates(directory, layout, new AbortController().signal, { threads });
  return {
    directory,
    threads,
    microBatch,
    learningRate: 1e-3,
    clip: 1,
    weightDecay: 0.01,
    weights: { refusal: 1, harmfulness: 0.01, preservation: 0.001 },
    before,
    after,
    softPrompt: rowsOf(
      embedded.map((value, index) => value + MOVE * Math.cos(index)),
      hiddenSize,
    ),
    queries,
    labels: queries.map((_, row) => row % 2),
    reference: rowsOf(states, hiddenSize),
    principal: Array.from({ length: COMPONENTS }, (_, component) => unitRow(component, hiddenSize)),
    refusal: [0.9, -0.4, 0.2, 0.1],
    harmfulness: [-0.3, 0.8, 0.1, -0.2],
  };
}

function rowsOf(values: Float32Array, width: number): number[][] {
  return Array.from({ length: values.length / width }, (_, row) =>
    Array.from(values.subarray(row * width, (row + 1) * width)),
  );
}

/** Each component has dimensions of its own, so that they are orthogonal. */
function unitRow(component: number, width: number): number[] {
  const own = (index: number) => index % COMPONENTS === component;
  const scale = Math.fround(1 / Math.sqrt(width / COMPONENTS));
  return Array.from({ length: width }, (_, index) => (own(index) ? scale : 0));
}
