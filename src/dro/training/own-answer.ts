import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';

const tokenId = Type.Integer({ minimum: 0 });

/** What the model answers by itself, under no prompt, greedily: what a prompt shall leave as it is. */
const schema = Type.Object({
  /** With the end token where the answer ended by itself. */
  tokens: Type.Array(tokenId),
  /** One a token: the likeliest next tokens with their probabilities, which sum to 1. */
  distributions: Type.Array(Type.Object({ ids: Type.Array(tokenId), probabilities: Type.Array(Type.Number()) })),
  /** Some models decline harmless queries by themselves; such an answer is nothing to keep. */
  refused: Type.Boolean(),
});

export type OwnAnswer = Static<typeof schema>;

const kept = Compile(Type.Object({ query: Type.Integer({ minimum: 0 }), answer: schema }));

/** One of them as a run keeps it, with its query's place. */
export interface KeptOwnAnswer {
  query: number;
  answer: OwnAnswer;
}

export function isKeptOwnAnswer(value: unknown): value is KeptOwnAnswer {
  return kept.Check(value);
}
