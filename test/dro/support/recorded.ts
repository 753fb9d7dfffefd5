import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';

const root = join(import.meta.dirname, '../../fixtures/dro');

/** The tiny models, of test/fixtures/transformer; recorded in both types. */
export const tinyNames = ['llama', 'mistral-window', 'qwen2', 'qwen3'] as const;
/** Recorded in float32 only. */
export const DEFAULT_MODEL = 'smollm2-135m-instruct';

const numbers = Type.Array(Type.Number());
const ids = Type.Array(Type.Integer());

const measure = { loss: Type.Number(), gradientNorm: Type.Number() };
const withGradient = Type.Object({ ...measure, gradient: numbers });
const answers = Type.Object({ tokens: Type.Array(numbers), tokenMean: withGradient, rowMean: withGradient });

const typeSchema = Type.Object({
  stride: Type.Integer(),
  states: Type.Object({ none: numbers, text: numbers, norms: Type.Array(numbers) }),
  dro: Type.Object({
    steps: Type.Array(
      Type.Object({
        ...measure,
        refusal: Type.Number(),
        harmfulness: Type.Number(),
        unchanged: Type.Number(),
        gradient: numbers,
      }),
    ),
    softPrompt: numbers,
    far: Type.Object({ refusal: withGradient, harmfulness: withGradient, unchanged: withGradient }),
  }),
  vpt: Type.Intersect([answers, Type.Object({ steps: Type.Array(Type.Object(measure)), softPrompt: numbers })]),
  kl: answers,
});

const probe = Type.Object({
  weights: numbers,
  bias: Type.Number(),
  accuracy: Type.Number(),
  fits: Type.Array(numbers),
});
const answerRows = Type.Array(Type.Object({ query: Type.Integer(), answer: ids }));

const recordingSchema = Type.Object({
  head: ids,
  text: ids,
  queries: Type.Array(Type.Object({ harmful: Type.Boolean(), tail: ids, unprompted: ids })),
  vpt: answerRows,
  kl: answerRows,
  batches: Type.Array(ids),
  move: numbers,
  folds: ids,
  refusalFractions: Type.Object({ none: numbers, text: numbers }),
  directions: Type.Object({
    mean: numbers,
    components: Type.Array(numbers),
    variances: numbers,
    refusal: probe,
    harmfulness: probe,
  }),
  float64: Type.Optional(typeSchema),
  float32: typeSchema,
});

/** What PyTorch computed for one model; the fields are explained in the README.md beside the files. */
export type Recording = Static<typeof recordingSchema>;

export async function recording(name: string): Promise<Recording> {
  return Value.Parse(recordingSchema, JSON.parse(await readFile(join(root, `${name}.json`), 'utf8')));
}

/** The values of a large tensor that a recording keeps. */
export function sampled(values: ArrayLike<number>, stride: number): number[] {
  return Array.from(values).filter((_, index) => index % stride === 0);
}

/** |a − b| / |b| over all values: the length of the difference. */
export function relativeDistance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  const [a, b] = [Array.from(actual), Array.from(expected)];
  return Math.hypot(...a.map((value, index) => value - (b[index] ?? Number.NaN))) / Math.hypot(...b);
}
