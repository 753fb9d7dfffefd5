import { microBatchInputs, sharesOf } from '../../../src/dro/training/micro-batch.ts';
import {
  type TermName,
  type TermWeights,
  termNames,
  trainingGraph,
  trainingInputs,
  trainingOutputs,
} from '../../../src/dro/training/training-graph.ts';
import { fedTokens, type TrainingRow } from '../../../src/dro/training/training-row.ts';
import { hostTensor, openSession, type RuntimeTensor } from '../../../src/graph/session.ts';
import type { Checkpoint } from '../../../src/model/checkpoint.ts';
import type { FloatType } from '../../graph/support/gradients.ts';
import type { Recording } from './recorded.ts';

export const noWeights: TermWeights = { refuse: 0, keep: 0, refusal: 0, harmfulness: 0, preservation: 0 };

/** The graph of `rows` as one micro-batch: its terms, and the gradient of their weighted sum. */
export interface OpenTrainingGraph {
  at(softPrompt: ArrayLike<number>): Promise<{ terms: Partial<Record<TermName, number>>; gradient: number[] }>;
  close(): Promise<void>;
}

/** Further optimisation fuses nodes into kernels that exist in float32 only. */
const optimizations = { float64: 'basic', float32: 'all' } as const;

/** The directions are the recording's. */
export async function openTrainingGraph(
  checkpoint: Checkpoint,
  { text, directions }: Recording,
  options: {
    rows: readonly TrainingRow[];
    layout: { before: readonly number[]; after: readonly number[] };
    weights: TermWeights;
    dtype: FloatType;
  },
): Promise<OpenTrainingGraph> {
  const { rows, layout, weights, dtype } = options;
  const { hiddenSize } = checkpoint.config;
  const shape = {
    virtualTokens: text.length,
    rows: rows.length,
    tokens: Math.max(...rows.map(fedTokens)),
    positions: rows.reduce((sum, { answer }) => sum + answer.length, 1),
    alternatives: Math.max(1, ...rows.flatMap(({ targets }) => targets?.map(({ ids }) => ids.length) ?? [])),
  };
  const model = trainingGraph(checkpoint, {
    layout,
    shape,
    weights,
    dtype,
    directions: {
      principal: Float32Array.from(directions.components.flat()),
      refusal: directions.refusal.weights,
      harmfulness: directions.harmfulness.weights,
    },
  });
  const session = await openSession(model, {
    externalFolder: checkpoint.directory,
    graphOptimization: optimizations[dtype],
    threads: 1,
  });
  const inputs = Object.entries(microBatchInputs(rows, shape, sharesOf(rows, 1), hiddenSize))
    .filter(([name]) => session.inputNames.includes(name))
    .map(([name, tensor]) => [name, dtype === 'float64' ? widened(tensor) : tensor] as const);
  return {
    async at(softPrompt) {
      const values = dtype === 'float64' ? Float64Array.from(softPrompt) : Float32Array.from(softPrompt);
      const results = await session.run({
        ...Object.fromEntries(inputs),
        [trainingInputs.softPrompt]: hostTensor(values, [text.length, hiddenSize]),
      });
      const numbers = (name: string) => Array.from(results[name]?.data ?? [], Number);
      return {
        terms: Object.fromEntries(
          termNames.filter((name) => weights[name] > 0).map((name) => [name, numbers(name)[0]]),
        ),
        gradient: numbers(trainingOutputs.gradient),
      };
    },
    close: () => session.release(),
  };
}

function widened(tensor: RuntimeTensor): RuntimeTensor {
  return tensor.data instanceof Float32Array ? hostTensor(Float64Array.from(tensor.data), tensor.dims) : tensor;
}
