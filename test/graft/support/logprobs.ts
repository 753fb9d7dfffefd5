import Type from 'typebox';
import { Value } from 'typebox/value';
import type { Engine, PromptSegment } from '../../../src/engine/generation.ts';
import { generationRequest, never, startDefaultEngine } from '../../helpers/default-engine.ts';

export { startDefaultEngine };

/** A greedy answer. */
export interface Answered {
  ids: number[];
  logprobs: number[];
}

export async function collectLogprobs(
  engine: Engine,
  prompt: readonly PromptSegment[],
  maxTokens: number,
): Promise<Answered> {
  const answered: Answered = { ids: [], logprobs: [] };
  for await (const event of engine.generate(generationRequest({ prompt, maxTokens, topLogprobs: 0 }), never)) {
    if (event.type === 'end') break;
    for (const { tokenId, logprob } of event.tokens) {
      answered.ids.push(tokenId);
      answered.logprobs.push(logprob);
    }
  }
  return answered;
}

const chatSchema = Type.Object({
  choices: Type.Array(
    Type.Object({
      logprobs: Type.Object({ content: Type.Array(Type.Object({ token: Type.String(), logprob: Type.Number() })) }),
    }),
    { minItems: 1 },
  ),
});

/** The tokens' texts and logprobs of one chat completion. */
export async function chatLogprobs(origin: string, body: object): Promise<{ tokens: string[]; logprobs: number[] }> {
  const response = await fetch(`${origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ temperature: 0, logprobs: true, ...body }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text.slice(0, 500));
  const [choice] = Value.Parse(chatSchema, JSON.parse(text)).choices;
  const content = choice?.logprobs.content ?? [];
  return { tokens: content.map(({ token }) => token), logprobs: content.map(({ logprob }) => logprob) };
}

/** The largest difference of two lists that should be equally long. */
export function farthest(a: readonly number[], b: readonly number[]): number {
  return a.reduce((most, value, index) => Math.max(most, Math.abs(value - (b[index] ?? Number.NaN))), 0);
}
