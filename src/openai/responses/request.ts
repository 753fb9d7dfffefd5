import Type, { type Static } from 'typebox';
import { generationFields, MAX_TOP_LOGPROBS } from '../request-fields.ts';
import { requestParser } from '../validate.ts';
import { type InputItem, readInput } from './input-items.ts';
import { readTextFormat, type TextFormat } from './text-format.ts';
import { type FunctionTool, readToolChoice, readTools, type ToolChoice } from './tools.ts';
import { refuseUnsupported } from './unsupported.ts';

/** OpenAI's own limits. */
const MAX_METADATA_KEY = 64;
const MAX_METADATA_VALUE = 512;
const MAX_METADATA = 16;

const open = { additionalProperties: true };
const typedObject = Type.Object({ type: Type.String() }, open);
const orNull = <Schema extends Parameters<typeof Type.Optional>[0]>(schema: Schema) =>
  Type.Optional(Type.Union([schema, Type.Null()]));

/** Not OpenAI's, but of every server behind: they mean the same as in chat completions. */
const { seed, stop, presence_penalty, frequency_penalty, logit_bias, top_k, min_p, repetition_penalty, ignore_eos } =
  generationFields;
const chatFields = {
  seed,
  stop,
  presence_penalty,
  frequency_penalty,
  logit_bias,
  top_k,
  min_p,
  repetition_penalty,
  ignore_eos,
};

/** Fields that mean the same in a chat request. */
export const SAME_IN_CHAT = ['model', 'temperature', 'top_p', 'user', ...Object.keys(chatFields)];

/** `POST /v1/responses`: what Preamble reads of it. Other fields are passed over: chat completions has others by some of their names. */
const requestSchema = Type.Object(
  {
    ...chatFields,
    model: generationFields.model,
    stream: generationFields.stream,
    temperature: generationFields.temperature,
    top_p: generationFields.top_p,
    user: generationFields.user,
    input: Type.Union([Type.String(), Type.Array(Type.Unknown())]),
    instructions: Type.Optional(Type.String()),
    previous_response_id: Type.Optional(Type.String({ minLength: 1 })),
    store: Type.Optional(Type.Boolean()),
    max_output_tokens: Type.Optional(Type.Integer({ minimum: 1 })),
    top_logprobs: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_TOP_LOGPROBS })),
    tools: Type.Optional(Type.Array(typedObject)),
    tool_choice: Type.Optional(Type.Union([Type.String(), typedObject])),
    parallel_tool_calls: Type.Optional(Type.Boolean()),
    text: Type.Optional(Type.Object({ format: orNull(typedObject), verbosity: orNull(Type.String()) }, open)),
    reasoning: Type.Optional(Type.Object({ effort: orNull(Type.String()) }, open)),
    metadata: Type.Optional(
      Type.Record(Type.String({ maxLength: MAX_METADATA_KEY }), Type.String({ maxLength: MAX_METADATA_VALUE }), {
        maxProperties: MAX_METADATA,
      }),
    ),
    include: Type.Optional(Type.Array(Type.String())),
    truncation: Type.Optional(Type.String()),
    background: Type.Optional(Type.Boolean()),
    safety_identifier: Type.Optional(Type.String()),
    prompt_cache_key: Type.Optional(Type.String()),
  },
  open,
);

type Fields = Static<typeof requestSchema>;

export interface ResponsesRequest {
  /** As they came. */
  readonly fields: Fields;
  readonly items: readonly InputItem[];
  readonly tools: readonly FunctionTool[];
  readonly toolChoice: ToolChoice;
  readonly format: TextFormat;
  /** Whether the answer's tokens come with their probabilities. */
  readonly logprobs: boolean;
}

const parseFields = requestParser(requestSchema);

/** Throws PreambleError `invalid_request` or `unsupported_parameter` with the field at fault as `param`. */
export function parseResponsesRequest(body: unknown): ResponsesRequest {
  const fields = parseFields(body);
  refuseUnsupported(fields);
  const tools = readTools(fields.tools ?? []);
  const wantsLogprobs = fields.include?.includes('message.output_text.logprobs') === true;
  return {
    fields,
    items: readInput(fields.input),
    tools,
    toolChoice: readToolChoice(fields.tool_choice, tools),
    format: readTextFormat(fields.text?.format),
    logprobs: wantsLogprobs || (fields.top_logprobs ?? 0) > 0,
  };
}
