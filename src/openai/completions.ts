import Type from 'typebox';
import type { CompletionUsage, FinishReason } from './answer.ts';
import { gatewayFields, generationFields, MAX_CHOICES, MAX_TOP_LOGPROBS } from './request-fields.ts';
import { fieldError, requestParser } from './validate.ts';

const tokenIds = Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1 });

const prompt = Type.Union([
  Type.String(),
  Type.Array(Type.String(), { minItems: 1 }),
  tokenIds,
  Type.Array(tokenIds, { minItems: 1 }),
]);

/** `POST /v1/completions`: what the gateway reads of it; every other field is kept as it came, for whoever answers. */
const textRequestSchema = Type.Object({ ...gatewayFields, prompt }, { additionalProperties: true });

/** The same, with all that the embedded model reads. */
const completionRequestSchema = Type.Object(
  {
    ...generationFields,
    prompt,
    echo: Type.Optional(Type.Boolean()),
    suffix: Type.Optional(Type.String()),
    best_of: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_CHOICES })),
    /** Number of alternatives per token; 0 reports the chosen tokens alone. */
    logprobs: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_TOP_LOGPROBS })),
  },
  { additionalProperties: true },
);

export type TextRequest = Type.Static<typeof textRequestSchema>;
export type CompletionRequest = Type.Static<typeof completionRequestSchema>;

/** The names of the fields that {@link parseCompletionRequest} checks; others may be there and are not read. */
export const completionFields: ReadonlySet<string> = new Set(Object.keys(completionRequestSchema.properties));

const parseGatewayFields = requestParser(textRequestSchema);
const parseFields = requestParser(completionRequestSchema);

/** Throws PreambleError `invalid_request` with the field at fault as `param`. */
export function parseTextRequest(body: unknown): TextRequest {
  return parseGatewayFields(body);
}

/** Throws PreambleError `invalid_request` with the field at fault as `param`. */
export function parseCompletionRequest(body: unknown): CompletionRequest {
  const request = parseFields(body);
  if (request.best_of !== undefined && request.best_of < (request.n ?? 1))
    throw fieldError('best_of', "must be at least 'n'");
  if (request.best_of !== undefined && request.best_of > 1 && request.stream === true) {
    throw fieldError('best_of', 'only a whole answer can be the best of several, not a stream');
  }
  return request;
}

/** Parallel arrays, one entry a token. `[tokens]` */
export interface CompletionLogprobs {
  tokens: string[];
  token_logprobs: (number | null)[];
  /** Token text -> logprob; null where no alternatives were asked for. */
  top_logprobs: (Record<string, number> | null)[] | null;
  /** Where each token begins in `text`, in Unicode code points, as OpenAI and vLLM (both Python) count. */
  text_offset: number[];
}

export interface CompletionChoice {
  index: number;
  text: string;
  logprobs: CompletionLogprobs | null;
  finish_reason: FinishReason | null;
}

/** The same object whole and, with `stream`, in parts. */
export interface Completion {
  id: string;
  object: 'text_completion';
  /** Seconds since 1970. */
  created: number;
  model: string;
  choices: CompletionChoice[];
  usage?: CompletionUsage | null;
  system_fingerprint?: string | null;
}
