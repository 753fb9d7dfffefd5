import Type from 'typebox';
import type { CompletionUsage, FinishReason } from './answer.ts';
import { gatewayFields, generationFields, MAX_TOP_LOGPROBS } from './request-fields.ts';
import { fieldError, requestParser } from './validate.ts';

/** Only text parts are read here; a backend says which of the others (`image_url`, …) it takes. */
const contentPartSchema = Type.Object(
  { type: Type.String(), text: Type.Optional(Type.String()) },
  { additionalProperties: true },
);

// Spelled out: a mapped array loses the names in its type.
const roleSchema = Type.Union([
  Type.Literal('system'),
  Type.Literal('developer'),
  Type.Literal('user'),
  Type.Literal('assistant'),
  Type.Literal('tool'),
]);

export const messageSchema = Type.Object(
  {
    role: roleSchema,
    content: Type.Optional(Type.Union([Type.String(), Type.Array(contentPartSchema), Type.Null()])),
    name: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    tool_call_id: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    tool_calls: Type.Optional(Type.Union([Type.Array(Type.Object({}, { additionalProperties: true })), Type.Null()])),
    refusal: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  },
  { additionalProperties: true },
);

const typedObject = Type.Object({ type: Type.String() }, { additionalProperties: true });

const messages = Type.Array(messageSchema, { minItems: 1 });

/** `POST /v1/chat/completions`: what the gateway reads of it; every other field is kept as it came, for whoever answers. */
const chatRequestSchema = Type.Object({ ...gatewayFields, messages }, { additionalProperties: true });

/** The same, with all that the embedded model reads. */
const chatCompletionRequestSchema = Type.Object(
  {
    ...generationFields,
    messages,
    max_completion_tokens: Type.Optional(Type.Integer({ minimum: 1 })),
    logprobs: Type.Optional(Type.Boolean()),
    top_logprobs: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_TOP_LOGPROBS })),
    response_format: Type.Optional(typedObject),
    tools: Type.Optional(Type.Array(typedObject)),
    tool_choice: Type.Optional(Type.Union([Type.String(), typedObject])),
  },
  { additionalProperties: true },
);

export type ContentPart = Type.Static<typeof contentPartSchema>;
export type ChatMessage = Type.Static<typeof messageSchema>;
export type ChatRequest = Type.Static<typeof chatRequestSchema>;
export type ChatCompletionRequest = Type.Static<typeof chatCompletionRequestSchema>;

/** The names of the fields that {@link parseChatCompletionRequest} checks; others may be there and are not read. */
export const chatCompletionFields: ReadonlySet<string> = new Set(Object.keys(chatCompletionRequestSchema.properties));

const parseGatewayFields = requestParser(chatRequestSchema);
const parseFields = requestParser(chatCompletionRequestSchema);

/** Throws PreambleError `invalid_request` with the field at fault as `param`. */
export function parseChatRequest(body: unknown): ChatRequest {
  const request = parseGatewayFields(body);
  checkMessages(request.messages);
  return request;
}

/** Throws PreambleError `invalid_request` with the field at fault as `param`. */
export function parseChatCompletionRequest(body: unknown): ChatCompletionRequest {
  const request = parseFields(body);
  checkMessages(request.messages);
  if ((request.top_logprobs ?? 0) > 0 && request.logprobs !== true) {
    throw fieldError('top_logprobs', "needs 'logprobs' to be true");
  }
  return request;
}

function checkMessages(messages: readonly ChatMessage[]): void {
  messages.forEach((message, index) => {
    checkMessage(message, `messages[${index}]`);
  });
}

function checkMessage(message: ChatMessage, path: string): void {
  const { role, content } = message;
  if (role === 'tool' && typeof message.tool_call_id !== 'string')
    throw fieldError(`${path}.tool_call_id`, 'a tool message needs it');
  if ((content === undefined || content === null) && role !== 'assistant') {
    throw fieldError(`${path}.content`, `a ${role} message needs a string or an array of content parts`);
  }
  if (!Array.isArray(content)) return;
  if (content.length === 0) throw fieldError(`${path}.content`, 'needs at least one content part');
  content.forEach((part, index) => {
    if (part.type === 'text' && part.text === undefined)
      throw fieldError(`${path}.content[${index}].text`, 'a text part needs it');
  });
}

export interface ChatTokenLogprob {
  token: string;
  logprob: number;
  /** The token's UTF-8 bytes; null where it has none. */
  bytes: number[] | null;
}

export interface ChatLogprobs {
  content: (ChatTokenLogprob & { top_logprobs: ChatTokenLogprob[] })[] | null;
  refusal: null;
}

export interface ChatToolCall {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
}

export interface AnswerMessage {
  role: 'assistant';
  content: string | null;
  refusal: string | null;
  tool_calls?: ChatToolCall[];
}

export interface ChatCompletionChoice {
  index: number;
  message: AnswerMessage;
  logprobs: ChatLogprobs | null;
  finish_reason: FinishReason | null;
}

export interface ChatCompletion {
  id: string;
  object: 'chat.completion';
  /** Seconds since 1970. */
  created: number;
  model: string;
  choices: ChatCompletionChoice[];
  usage?: CompletionUsage;
  system_fingerprint?: string | null;
}

/** A tool call arrives in pieces: id and name first, then the arguments bit by bit. */
export interface ChatToolCallDelta {
  index: number;
  id?: string;
  type?: 'function';
  function?: { name?: string; arguments?: string };
}

export interface ChatDelta {
  role?: 'assistant';
  content?: string | null;
  refusal?: string | null;
  tool_calls?: ChatToolCallDelta[];
}

export interface ChatChunkChoice {
  index: number;
  delta: ChatDelta;
  logprobs: ChatLogprobs | null;
  finish_reason: FinishReason | null;
}

export interface ChatCompletionChunk {
  id: string;
  object: 'chat.completion.chunk';
  created: number;
  model: string;
  choices: ChatChunkChoice[];
  /** With `include_usage`: null in every chunk but the last, which has no choices. */
  usage?: CompletionUsage | null;
  system_fingerprint?: string | null;
}
