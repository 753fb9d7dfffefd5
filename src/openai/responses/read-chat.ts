import Type, { type Static, type TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { isObject } from '../validate.ts';
import type { ResponseUsage, TokenLogprob } from './response.ts';

/** What is read of a chat answer to translate it. Unlike in chat completions, what does not have this shape cannot be handed on. */
const open = { additionalProperties: true };
const optional = <Schema extends TSchema>(schema: Schema) => Type.Optional(Type.Union([schema, Type.Null()]));
const text = optional(Type.String());
const count = Type.Integer({ minimum: 0 });

const probability = {
  token: Type.String(),
  logprob: Type.Number(),
  bytes: optional(Type.Array(Type.Integer({ minimum: 0, maximum: 255 }))),
};
const logprobs = optional(
  Type.Object(
    {
      content: optional(
        Type.Array(
          Type.Object({ ...probability, top_logprobs: optional(Type.Array(Type.Object(probability, open))) }, open),
        ),
      ),
    },
    open,
  ),
);

const usage = optional(
  Type.Object(
    {
      prompt_tokens: count,
      completion_tokens: count,
      total_tokens: count,
      prompt_tokens_details: optional(Type.Object({ cached_tokens: optional(count) }, open)),
      completion_tokens_details: optional(Type.Object({ reasoning_tokens: optional(count) }, open)),
    },
    open,
  ),
);

const spoken = Type.Object(
  {
    content: text,
    refusal: text,
    tool_calls: optional(
      Type.Array(
        Type.Object(
          {
            index: Type.Optional(Type.Integer({ minimum: 0 })),
            id: text,
            function: optional(Type.Object({ name: text, arguments: text }, open)),
          },
          open,
        ),
      ),
    ),
  },
  open,
);

const common = { index: Type.Integer({ minimum: 0 }), finish_reason: text, logprobs };
const wholeSchema = Type.Object(
  { choices: Type.Array(Type.Object({ ...common, message: spoken }, open)), usage },
  open,
);
const partSchema = Type.Object({ choices: Type.Array(Type.Object({ ...common, delta: spoken }, open)), usage }, open);
const faultSchema = Type.Object({ message: Type.String(), param: text, code: Type.Optional(Type.Unknown()) }, open);

export type WholeChat = Static<typeof wholeSchema>;
export type ChatPart = Static<typeof partSchema>;
export type Spoken = Static<typeof spoken>;
export type ChatUsage = NonNullable<ChatPart['usage']>;
export type ChatLogprobs = ChatPart['choices'][number]['logprobs'];

/** Null where the value has not the shape. */
export const readWholeChat = reader<WholeChat>(wholeSchema);
export const readChatPart = reader<ChatPart>(partSchema);

/** What went wrong in mid-stream, as a client is told. */
export interface StreamFault {
  readonly message: string;
  readonly code: string | null;
  readonly param: string | null;
}

const readFault = reader<Static<typeof faultSchema>>(faultSchema);

/** An error that a model server sent in its stream; null for any other part. */
export function readStreamFault(part: unknown): StreamFault | null {
  const fault = isObject(part) ? readFault(part['error']) : null;
  if (fault === null) return null;
  // vLLM repeats the status there, as a number.
  return {
    message: fault.message,
    code: typeof fault.code === 'string' ? fault.code : null,
    param: fault.param ?? null,
  };
}

/** A whole answer as the one part of a stream, so that both are translated alike. */
export function asPart({ choices, usage: counted }: WholeChat): ChatPart {
  const deltas = choices.map(({ message, ...choice }) => ({ ...choice, delta: numbered(message) }));
  return counted ? { choices: deltas, usage: counted } : { choices: deltas };
}

function numbered(message: Spoken): Spoken {
  const calls = message.tool_calls ?? [];
  return { ...message, tool_calls: calls.map((call, index) => ({ ...call, index })) };
}

export function toTokenLogprobs(reported: ChatLogprobs): TokenLogprob[] {
  return (reported?.content ?? []).map(({ token, logprob, bytes, top_logprobs: top }) => ({
    token,
    logprob,
    bytes: bytes ?? [],
    top_logprobs: (top ?? []).map((other) => ({
      token: other.token,
      logprob: other.logprob,
      bytes: other.bytes ?? [],
    })),
  }));
}

export function toResponseUsage(counted: ChatUsage): ResponseUsage {
  return {
    input_tokens: counted.prompt_tokens,
    input_tokens_details: {
      cached_tokens: counted.prompt_tokens_details?.cached_tokens ?? 0,
      cache_write_tokens: 0,
    },
    output_tokens: counted.completion_tokens,
    output_tokens_details: { reasoning_tokens: counted.completion_tokens_details?.reasoning_tokens ?? 0 },
    total_tokens: counted.total_tokens,
  };
}

function reader<Value>(schema: TSchema & { static?: Value }): (value: unknown) => Value | null {
  const validator = Compile(schema);
  const fits = (value: unknown): value is Value => validator.Check(value);
  return (value) => (fits(value) ? value : null);
}
