import Type, { type Static, type TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { PreambleError } from '../errors.ts';

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
