import { type Device, floatData, hostTensor, openSession, type Session } from '../../graph/session.ts';
import type { Checkpoint } from '../../model/checkpoint.ts';
import { bucketFor } from './buckets.ts';
import { microBatchInputs, sharesOf } from './micro-batch.ts';
import {
  type MoveDirections,
  type PrefixLayout,
  type TermName,
  type TermWeights,
  termNames,
  trainingGraph,
  trainingInputs,
  trainingOutputs,
} from './training-graph.ts';
import { fedTokens, type TrainingRow } from './training-row.ts';

export interface GradientOptions {
  layout: PrefixLayout;
  virtualTokens: number;
  weights: TermWeights;
  directions: MoveDirections | null;
  /** Rows computed at once: 10 to 25 are equally fast, fewer need less memory. */
  microBatch: number;
  /** Lengths that rows are padded to, ascending (`chooseBuckets`): one session each. */
  buckets: readonly number[];
  /** The most answer tokens of a row. */
  answerTokens: number;
  /** How many times as much as another an answer's first token counts. */
  firstTokenWeight: number;
  /** Tokens in a target distribution. */
  alternatives: number;
  threads?: number;
  /** The CPU unless given. */
  device?: Device;
}

/** A batch's loss, its terms without their weights, and d loss / d soft prompt `[virtualTokens, hiddenSize]`. */
export interface BatchGradient {
  readonly loss: number;
  readonly terms: Readonly<Partial<Record<TermName, number>>>;
  readonly gradient: Float32Array;
}

/** Computes batches; one session a bucket of lengths. It blocks the thread: use a worker where others wait. */
export interface Gradients {
  compute(softPrompt: Float32Array, rows: readonly TrainingRow[]): Promise<BatchGradient>;
  close(): Promise<void>;
}

/**
 * Folding the casts would copy every weight to float32 when the session opens, once a bucket; joining equal ones would keep the copies from the
 * forward to the backward pass. Cast as they are needed, they are as fast (measured), and only one at a time is there.
 */
const KEEP_CASTS = {
  'optimization.disable_specified_optimizers': 'ConstantFolding;CommonSubexpressionElimination',
};

export function createGradients(checkpoint: Checkpoint, options: GradientOptions): Gradients {
  const { hiddenSize } = checkpoint.config;
  const { virtualTokens, weights, alternatives, microBatch } = options;
  const positions = microBatch * options.answerTokens;
  const sessions = new Map<number, Promise<Session>>();

  const shapeOf = (tokens: number) => ({ virtualTokens, rows: microBatch, tokens, positions, alternatives });

  function open(tokens: number): Promise<Session> {
    const known = sessions.get(tokens);
    if (known !== undefined) return known;
    const session = openSession(trainingGraph(checkpoint, { ...options, shape: shapeOf(tokens) }), {
      externalFolder: checkpoint.directory,
      memoryPattern: false,
      configuration: KEEP_CASTS,
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      ...(options.device === undefined ? {} : { device: options.device }),
    });
    sessions.set(tokens, session);
    return session;
  }

  return {
    async compute(softPrompt, rows) {
      const shares = sharesOf(rows, options.firstTokenWeight);
      const total = { loss: 0, gradient: new Float32Array(softPrompt.length) };
      const terms: Partial<Record<TermName, number>> = {};
      // long rows together: a micro-batch is as long as its longest
      const sorted = rows.toSorted((left, right) => fedTokens(left) - fedTokens(right));
      for (let from = 0; from < sorted.length; from += microBatch) {
        const part = sorted.slice(from, from + microBatch);
        const tokens = bucketFor(options.buckets, Math.max(...part.map(fedTokens)));
        const session = await open(tokens);
        const inputs = microBatchInputs(part, shapeOf(tokens), shares, hiddenSize);
        const known = Object.entries(inputs).filter(([name]) => session.inputNames.includes(name));
        const results = await session.run({
          ...Object.fromEntries(known),
          [trainingInputs.softPrompt]: hostTensor(softPrompt, [virtualTokens, hiddenSize]),
        });
        total.loss += floatData(results, trainingOutputs.loss)[0] ?? Number.NaN;
        for (const [index, value] of floatData(results, trainingOutputs.gradient).entries()) {
          total.gradient[index] = (total.gradient[index] ?? 0) + value;
        }
        for (const name of termNames) {
          if (weights[name] > 0) terms[name] = (terms[name] ?? 0) + (floatData(results, name)[0] ?? Number.NaN);
        }
      }
      return { ...total, terms };
    },
    async close() {
      for (const session of sessions.values()) await (await session).release();
      sessions.clear();
    },
  };
}
