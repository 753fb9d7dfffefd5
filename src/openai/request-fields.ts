import Type from 'typebox';

/** OpenAI documents 4; vLLM takes more, and applications written for it send them. Each costs a little work per character of the answer. */
const MAX_STOP_STRINGS = 16;
/** Choices per prompt, OpenAI's own limit. */
export const MAX_CHOICES = 128;
/** Alternatives reported per token, OpenAI's own limit. */
export const MAX_TOP_LOGPROBS = 20;

/** Integers beyond this are no longer exact in JSON as JavaScript and most clients read it. */
const MAX_EXACT_INTEGER = Number.MAX_SAFE_INTEGER;

const penalty = Type.Optional(Type.Number({ minimum: -2, maximum: 2 }));

/** What the gateway itself reads of every request, whoever answers it. */
export const gatewayFields = {
  model: Type.String({ minLength: 1 }),
  stream: Type.Optional(Type.Boolean()),
  stream_options: Type.Optional(
    Type.Object(
      { include_usage: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])) },
      { additionalProperties: true },
    ),
  ),
  n: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_CHOICES })),
};

/**
 * The fields that chat completions and completions share: OpenAI's, then the ones that vLLM adds. Bounds are the stricter of what both
 * document, except `top_p: 0`, which OpenAI takes and vLLM does not: it keeps the likeliest token alone.
 */
export const generationFields = {
  ...gatewayFields,
  max_tokens: Type.Optional(Type.Integer({ minimum: 1 })),
  temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 2 })),
  top_p: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  seed: Type.Optional(Type.Integer({ minimum: -MAX_EXACT_INTEGER, maximum: MAX_EXACT_INTEGER })),
  stop: Type.Optional(
    Type.Union([
      Type.String({ minLength: 1 }),
      Type.Array(Type.String({ minLength: 1 }), { maxItems: MAX_STOP_STRINGS }),
    ]),
  ),
  presence_penalty: penalty,
  frequency_penalty: penalty,
  logit_bias: Type.Optional(
    Type.Record(Type.String({ pattern: '^(0|[1-9][0-9]{0,8})$' }), Type.Number({ minimum: -100, maximum: 100 }), {
      additionalProperties: false,
    }),
  ),
  user: Type.Optional(Type.String()),
  /** -1 and 0 keep every token, as vLLM has it. */
  top_k: Type.Optional(Type.Integer({ minimum: -1 })),
  min_p: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  /** Far beyond what is useful (about 1 to 2), and within what keeps every logit a finite float32. */
  repetition_penalty: Type.Optional(Type.Number({ minimum: 0.01, maximum: 100 })),
  ignore_eos: Type.Optional(Type.Boolean()),
};
