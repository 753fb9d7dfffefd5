import { gradient } from '../../graph/autodiff.ts';
import { createGraph, type GraphBuilder } from '../../graph/builder.ts';
import type { Tensor } from '../../graph/tensor.ts';
import type { Checkpoint } from '../../model/checkpoint.ts';
import { createTransformer, type Transformer, type TransformerOptions } from '../../model/transformer/transformer.ts';
import type { QueryLayout } from '../anchors/query-layout.ts';
import { crossEntropy, weightedSum } from '../objectives/cross-entropy.ts';
import { move, preservationTerm, principalMove, probeTerm } from '../objectives/representation.ts';

/** The parts of a loss, as metrics and weights name them. */
export const termNames = ['refuse', 'keep', 'refusal', 'harmfulness', 'preservation'] as const;
export type TermName = (typeof termNames)[number];
/** A term of weight 0 is left out of the graph. */
export type TermWeights = Readonly<Record<TermName, number>>;

/** Sizes of one graph: they are fixed when it is built. */
export interface TrainingShape {
  /** Virtual tokens. */
  virtualTokens: number;
  /** Queries at once. */
  rows: number;
  /** Tokens a row: the rest of the query and the answer, padding on the right included. */
  tokens: number;
  /** Answer tokens that are judged, over all rows. */
  positions: number;
  /** Tokens in each position's target distribution. */
  alternatives: number;
}

/** What DRO measures a move against: the principal components, and the probes' weights along them. */
export interface MoveDirections {
  /** `[components, hiddenSize]` row-major, rows orthonormal. */
  readonly principal: Float32Array;
  /** `[components]` */
  readonly refusal: ArrayLike<number>;
  /** `[components]` */
  readonly harmfulness: ArrayLike<number>;
}

/** What the template puts before and behind the soft prompt, the same for every query. */
export type PrefixLayout = Pick<QueryLayout, 'before' | 'after'>;

export interface TrainingGraphOptions {
  layout: PrefixLayout;
  shape: TrainingShape;
  weights: TermWeights;
  /** Needed by DRO's terms; null where their weights are 0. */
  directions: MoveDirections | null;
  dtype?: TransformerOptions['dtype'];
}

/** Names of the inputs. */
export const trainingInputs = {
  /** `[virtualTokens, hiddenSize]` */
  softPrompt: 'soft_prompt',
  /** `[rows, tokens]` int64 */
  tokens: 'tokens',
  /** `[rows]` int64: where the query's last token stands in its row. */
  lastIndices: 'last_indices',
  /** `[rows, hiddenSize]`: the same queries' last states under the textual prompt. */
  reference: 'reference',
  /** `[rows]`: 1 for harmful queries, 0 for harmless ones. */
  labels: 'labels',
  /** `[rows]`: 1 / queries of the batch; 0 for rows that only fill up. */
  rowWeights: 'row_weights',
  /** `[positions]` int64: row · tokens + position of the state that predicts a judged token. */
  answerIndices: 'answer_indices',
  /** `[positions, alternatives]` int64 and their probabilities. */
  targets: 'targets',
  targetProbabilities: 'target_probabilities',
  /** `[positions]`: each judged token's share in the two terms of cross-entropy. */
  refuseWeights: 'refuse_weights',
  keepWeights: 'keep_weights',
} as const;

/** Names of the outputs besides one scalar a term, under the term's name. */
export const trainingOutputs = { loss: 'loss', gradient: 'gradient' } as const;

/**
 * One micro-batch's loss and its gradient with respect to the soft prompt,
 *
 *   L = w_refuse · H(refusal) + w_keep · H(own answer) + w_r · L_r + w_h · L_h + w_U · L_U
 *
 * as ONNX. Losses and gradients of a batch's micro-batches add up, because the weights of rows and positions are shares of the whole batch.
 */
export function trainingGraph(checkpoint: Checkpoint, options: TrainingGraphOptions): Uint8Array {
  const { shape, layout, weights, directions, dtype = 'float32' } = options;
  const { hiddenSize } = checkpoint.config;
  const graph = createGraph();
  const prefixTokens = layout.before.length + shape.virtualTokens + layout.after.length;
  const transformer = createTransformer(graph, checkpoint, { positions: prefixTokens + shape.tokens, dtype });
  const softPrompt = graph.input(trainingInputs.softPrompt, [shape.virtualTokens, hiddenSize], dtype, {
    requiresGrad: true,
  });
  const tokens = graph.input(trainingInputs.tokens, [shape.rows, shape.tokens], 'int64');
  const prefix = prefixOf(graph, transformer, softPrompt, layout);
  const embeddings = transformer.embed(tokens);
  const judgesAnswers = weights.refuse > 0 || weights.keep > 0;
  const lastIndices = directions === null ? null : graph.input(trainingInputs.lastIndices, [shape.rows], 'int64');

  // without answers to judge, the last layer is computed for one position a row
  const all = judgesAnswers ? transformer.states({ prefix, embeddings, lastIndices: null }) : null;
  const terms = new Map<TermName, Tensor>();

  if (all !== null) {
    const answers = answerTerms(graph, transformer, all, shape, dtype);
    if (weights.refuse > 0) terms.set('refuse', answers('refuse'));
    if (weights.keep > 0) terms.set('keep', answers('keep'));
  }
  if (directions !== null && lastIndices !== null) {
    const last =
      all === null
        ? transformer.states({ prefix, embeddings, lastIndices })
        : graph.gather(all, flat(graph, lastIndices, shape), 0);
    for (const [name, term] of moveTerms(graph, last, directions, shape.rows, dtype)) {
      if (weights[name] > 0) terms.set(name, term);
    }
  }

  const loss = [...terms]
    .map(([name, term]) => graph.scale(term, weights[name]))
    .reduce<Tensor | null>((sum, term) => (sum === null ? term : graph.add(sum, term)), null);
  if (loss === null) throw new TypeError('every term of the loss has weight 0');
  const [softPromptGradient] = gradient(graph, loss, [softPrompt]);
  if (softPromptGradient === undefined) throw new TypeError('one tensor has one gradient');

  for (const [name, term] of terms) graph.output(term, name);
  graph.output(loss, trainingOutputs.loss);
  graph.output(softPromptGradient, trainingOutputs.gradient);
  return graph.build({ castForEachReader: true });
}

/** `[prefix, hiddenSize]`: template, soft prompt, template. */
function prefixOf(
  graph: GraphBuilder,
  transformer: Transformer,
  softPrompt: Tensor,
  { before, after }: PrefixLayout,
): Tensor {
  const embedded = (ids: readonly number[]) =>
    ids.length === 0 ? [] : [transformer.embed(graph.constant(ids, [ids.length], 'int64'))];
  const parts = [...embedded(before), softPrompt, ...embedded(after)];
  return parts.length === 1 ? softPrompt : graph.concat(parts, 0);
}

function flat(graph: GraphBuilder, indices: Tensor, { rows, tokens }: TrainingShape): Tensor {
  const starts = Array.from({ length: rows }, (_, row) => row * tokens);
  return graph.add(indices, graph.constant(starts, [rows], 'int64'));
}

function answerTerms(
  graph: GraphBuilder,
  transformer: Transformer,
  all: Tensor,
  { positions, alternatives }: TrainingShape,
  dtype: 'float32' | 'float64',
): (name: 'refuse' | 'keep') => Tensor {
  const states = graph.gather(all, graph.input(trainingInputs.answerIndices, [positions], 'int64'), 0);
  const targets = graph.input(trainingInputs.targets, [positions, alternatives], 'int64');
  const nextToken = crossEntropy(graph, {
    states,
    logits: transformer.unembed(states),
    targetRows: transformer.unembedRows(targets),
    targetProbabilities: graph.input(trainingInputs.targetProbabilities, [positions, alternatives], dtype),
  });
  const names = { refuse: trainingInputs.refuseWeights, keep: trainingInputs.keepWeights };
  return (name) => weightedSum(graph, nextToken, graph.input(names[name], [positions], dtype));
}

function moveTerms(
  graph: GraphBuilder,
  states: Tensor,
  directions: MoveDirections,
  rows: number,
  dtype: 'float32' | 'float64',
): Map<'refusal' | 'harmfulness' | 'preservation', Tensor> {
  const components = directions.refusal.length;
  const hiddenSize = directions.principal.length / components;
  const reference = graph.input(trainingInputs.reference, [rows, hiddenSize], dtype);
  const labels = graph.input(trainingInputs.labels, [rows], dtype);
  const shares = graph.input(trainingInputs.rowWeights, [rows], dtype);
  const moved = move(graph, { states, reference });
  const basis = graph.constant(directions.principal, [components, hiddenSize], dtype);
  const principal = principalMove(graph, moved, basis);
  return new Map([
    ['refusal', weightedSum(graph, probeTerm(graph, principal, directions.refusal, labels), shares)],
    ['harmfulness', weightedSum(graph, probeTerm(graph, principal, directions.harmfulness, labels), shares)],
    ['preservation', weightedSum(graph, preservationTerm(graph, moved, principal), shares)],
  ]);
}
