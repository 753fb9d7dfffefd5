import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import type { TermWeights } from './training-graph.ts';

export const objectives = ['vpt', 'dro', 'both'] as const;
export type Objective = (typeof objectives)[number];

const closed = { additionalProperties: false };
const atLeast = (minimum: number) => Type.Number({ minimum });
const whole = (minimum: number) => Type.Integer({ minimum });

/** Everything that decides what a training run does, besides model, queries and start. */
export const settingsSchema = Type.Object(
  {
    objective: Type.Union([Type.Literal('vpt'), Type.Literal('dro'), Type.Literal('both')]),
    weights: Type.Object(
      {
        refuse: atLeast(0),
        keep: atLeast(0),
        refusal: atLeast(0),
        harmfulness: atLeast(0),
        preservation: atLeast(0),
      },
      closed,
    ),
    steps: whole(1),
    /** Queries a step, half of each label. */
    batch: Type.Integer({ minimum: 2, multipleOf: 2 }),
    microBatch: whole(1),
    /** Sessions, each with its own length of rows: more pad less and need more memory. */
    buckets: whole(1),
    learningRate: Type.Number({ exclusiveMinimum: 0 }),
    warmup: whole(0),
    decay: Type.Union([Type.Literal('constant'), Type.Literal('cosine')]),
    clip: Type.Number({ exclusiveMinimum: 0 }),
    weightDecay: atLeast(0),
    /** Tokens of the model's own answers that cross-entropy looks at; of a refusal it sees all. */
    answerTokens: whole(1),
    /** How many times as much as another the first of them counts. */
    firstTokenWeight: Type.Number({ exclusiveMinimum: 0 }),
    /** Next tokens in the distributions that are kept of the model's own answers. */
    alternatives: whole(1),
    evaluateEvery: whole(1),
    patience: whole(0),
    /** How much a refused harmless query counts against a refused harmful one, when the best step is chosen. */
    harmlessWeight: atLeast(0),
    seed: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  },
  closed,
);

export type TrainingSettings = Static<typeof settingsSchema>;

const checker = Compile(settingsSchema);

export function isTrainingSettings(value: unknown): value is TrainingSettings {
  return checker.Check(value);
}

/** DRO's weights are the reference's (arXiv 2401.18018, section 4.1); those of `both` were found by experiment: docs/training.md. */
const weightsOf: Record<Objective, TermWeights> = {
  vpt: { refuse: 1, keep: 1.5, refusal: 0, harmfulness: 0, preservation: 0 },
  dro: { refuse: 0, keep: 0, refusal: 1, harmfulness: 0.01, preservation: 0.001 },
  both: { refuse: 1, keep: 1.5, refusal: 1, harmfulness: 0.01, preservation: 0.05 },
};

const scheduleOf: Record<Objective, Pick<TrainingSettings, 'steps' | 'batch' | 'learningRate' | 'evaluateEvery'>> = {
  vpt: { steps: 240, batch: 40, learningRate: 2e-2, evaluateEvery: 40 },
  dro: { steps: 80, batch: 50, learningRate: 1e-3, evaluateEvery: 20 },
  both: { steps: 80, batch: 40, learningRate: 2e-3, evaluateEvery: 20 },
};

/** What serves a model of 135 million parameters: docs/training.md. */
export function defaultSettings(objective: Objective): TrainingSettings {
  return {
    objective,
    weights: weightsOf[objective],
    ...scheduleOf[objective],
    microBatch: 20,
    buckets: 1,
    warmup: 10,
    decay: 'cosine',
    clip: 1,
    weightDecay: 0,
    answerTokens: 6,
    firstTokenWeight: 4,
    alternatives: 16,
    patience: 0,
    harmlessWeight: 1,
    seed: 1,
  };
}
