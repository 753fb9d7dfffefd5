import Type from 'typebox';
import { Value } from 'typebox/value';
import { PreambleError } from '../../errors.ts';
import { isObject } from '../../openai/validate.ts';

/** Two runs of the same numbers differ by the order of sums at most; another input differs by whole nats. */
const MAX_LOGPROB_DIFFERENCE = 0.05;

/** The first token of an answer to a probe. */
export interface ProbeAnswer {
  readonly promptTokens: number;
  readonly token: string;
  readonly logprob: number;
}

const open = { additionalProperties: true };
const usage = Type.Object({ prompt_tokens: Type.Integer() }, open);
const tokenLogprob = Type.Object({ token: Type.String(), logprob: Type.Number() }, open);
const chatSchema = Type.Object(
  {
    usage,
    choices: Type.Array(
      Type.Object({ logprobs: Type.Object({ content: Type.Array(tokenLogprob, { minItems: 1 }) }, open) }, open),
      { minItems: 1 },
    ),
  },
  open,
);
const completionSchema = Type.Object(
  {
    usage,
    choices: Type.Array(
      Type.Object(
        {
          logprobs: Type.Object(
            {
              tokens: Type.Array(Type.String(), { minItems: 1 }),
              token_logprobs: Type.Array(Type.Number(), { minItems: 1 }),
            },
            open,
          ),
        },
        open,
      ),
      { minItems: 1 },
    ),
  },
  open,
);

/** Reads a chat answer, or a completion, with logprobs. Throws `upstream_invalid`. */
export function readProbe(answer: unknown, url: string): ProbeAnswer {
  if (Value.Check(chatSchema, answer)) {
    const first = answer.choices[0]?.logprobs.content[0];
    if (first !== undefined) return { promptTokens: answer.usage.prompt_tokens, ...pick(first.token, first.logprob) };
  }
  if (isObject(answer) && Value.Check(completionSchema, answer)) {
    const logprobs = answer.choices[0]?.logprobs;
    const [token] = logprobs?.tokens ?? [];
    const [logprob] = logprobs?.token_logprobs ?? [];
    if (token !== undefined && logprob !== undefined) {
      return { promptTokens: answer.usage.prompt_tokens, ...pick(token, logprob) };
    }
  }
  throw new PreambleError('upstream_invalid', `${url} answers a probe in an unknown form.`, {
    action: 'Check that it is a server of the kind that the settings name.',
  });
}

/** Whether the model computed the same. */
export function isSame(a: ProbeAnswer, b: ProbeAnswer): boolean {
  const close = Math.abs(a.logprob - b.logprob) <= MAX_LOGPROB_DIFFERENCE;
  return a.promptTokens === b.promptTokens && a.token === b.token && close;
}

export function describeProbe({ token, logprob, promptTokens }: ProbeAnswer): string {
  return `${JSON.stringify(token)} at ${logprob.toFixed(4)} after ${promptTokens} tokens`;
}

function pick(token: string, logprob: number): { token: string; logprob: number } {
  return { token, logprob };
}
