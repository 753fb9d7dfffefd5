import Type, { type Static, type TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { PreambleError } from '../errors.ts';
import type { CompletionUsage } from './answer.ts';

/**
 * The shapes of answers that come from a model server, as far as Preamble reads them. A server's answer is nobody's to correct: what does
 * not have its shape is handed on unread.
 */
const open = { additionalProperties: true };
const text = Type.Optional(Type.Union([Type.String(), Type.Null()]));
const finishReason = Type.Optional(Type.Union([Type.String(), Type.Null()]));
const index = Type.Integer({ minimum: 0 });
const count = Type.Integer({ minimum: 0 });
const usage = Type.Optional(
  Type.Union([Type.Object({ prompt_tokens: count, completion_tokens: count, total_tokens: count }, open), Type.Null()]),
);

const spoken = Type.Object(
  {
    content: text,
    refusal: text,
    tool_calls: Type.Optional(Type.Union([Type.Array(Type.Unknown()), Type.Null()])),
  },
  open,
);

const answerOf = <Choice extends TSchema>(choice: Choice) => Type.Object({ choices: Type.Array(choice), usage }, open);

const chatSchema = answerOf(Type.Object({ index, message: spoken, finish_reason: finishReason }, open));
const chatChunkSchema = answerOf(Type.Object({ index, delta: spoken, finish_reason: finishReason }, open));
const completionSchema = answerOf(
  Type.Object(
    { index, text: Type.String(), finish_reason: finishReason, logprobs: Type.Optional(Type.Unknown()) },
    open,
  ),
);

export type ReadChat = Static<typeof chatSchema>;
export type ReadChatChunk = Static<typeof chatChunkSchema>;
export type ReadCompletion = Static<typeof completionSchema>;

/** Null where the value has not the shape. */
export const readChat = reader<ReadChat>(chatSchema);
export const readChatChunk = reader<ReadChatChunk>(chatChunkSchema);
export const readCompletion = reader<ReadCompletion>(completionSchema);

const countedSchema = Type.Object(
  { usage: Type.Object({ total_tokens: count, prompt_tokens: Type.Optional(count) }, open) },
  open,
);
const readCounted = reader<Static<typeof countedSchema>>(countedSchema);

/** The token counts of any answer that has some: embeddings count no completion, rerankers the total alone. Null where there are none. */
export function readUsage(value: unknown): CompletionUsage | null {
  const counted = readCounted(value)?.usage;
  if (counted === undefined) return null;
  const { total_tokens, prompt_tokens = total_tokens } = counted;
  return { prompt_tokens, completion_tokens: Math.max(0, total_tokens - prompt_tokens), total_tokens };
}

/** Throws PreambleError `upstream_invalid`; without its cause, as the parser's message quotes the text, and causes are logged. */
export function parseUpstreamJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new PreambleError('upstream_invalid', 'The model server sent something that is not JSON.');
  }
}

function reader<Value>(schema: TSchema & { static?: Value }): (value: unknown) => Value | null {
  const validator = Compile(schema);
  const fits = (value: unknown): value is Value => validator.Check(value);
  return (value) => (fits(value) ? value : null);
}
