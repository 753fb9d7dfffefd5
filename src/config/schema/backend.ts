import Type from 'typebox';
import { closed, seconds, secretSchema } from './common.ts';

const embeddedSchema = Type.Object(
  {
    kind: Type.Enum(['embedded'], { description: 'The model runs in this process.' }),
    model: Type.String({
      minLength: 1,
      description: 'Known name, hub repository (ORG/NAME), or directory; ./ is beside this file.',
    }),
    weights: Type.Enum(['4-bit', '8-bit', 'float32'], { default: '8-bit', description: 'How weights are held.' }),
    slots: Type.Integer({ minimum: 1, maximum: 64, default: 8, description: 'Answers that are written together.' }),
    queue: Type.Integer({
      minimum: 0,
      maximum: 10_000,
      default: 64,
      description: 'Requests that may wait for a slot.',
    }),
    contextLength: Type.Union([Type.Integer({ minimum: 16, maximum: 1_048_576 }), Type.Null()], {
      default: null,
      description: "Prompt and answer together, in tokens; null is the model's own.",
    }),
    threads: Type.Union([Type.Integer({ minimum: 1, maximum: 256 }), Type.Null()], {
      default: null,
      description: 'Threads that compute; null is one for each processor core.',
    }),
    sampling: Type.Object(
      {
        temperature: Type.Number({
          minimum: 0,
          maximum: 2,
          default: 1,
          description: 'For requests that name none; 0 takes the likeliest token always.',
        }),
        topP: Type.Number({
          minimum: 0,
          maximum: 1,
          default: 1,
          description: 'For requests that name none; the likeliest tokens of so much probability.',
        }),
      },
      { ...closed, default: {}, description: 'How tokens are drawn where a request does not say.' },
    ),
  },
  closed,
);

/** A connection on a local network takes milliseconds; who needs longer is not there. */
const CONNECT_SECONDS = 5;
/** A long prompt waits in vLLM's queue and is read before the first byte comes. */
const FIRST_BYTE_SECONDS = 120;
/** Under load vLLM writes a token at least every few seconds. */
const BETWEEN_BYTES_SECONDS = 60;

const timeoutsSchema = Type.Object(
  {
    connectSeconds: seconds(CONNECT_SECONDS, 'Longest time until a connection stands.'),
    firstByteSeconds: seconds(FIRST_BYTE_SECONDS, 'Longest time from the request to the first byte of the answer.'),
    betweenBytesSeconds: seconds(BETWEEN_BYTES_SECONDS, 'Longest silence within an answer.'),
  },
  { ...closed, default: {}, description: 'How long a server is waited for; limits.requestSeconds bounds the whole.' },
);

const healthSchema = Type.Object(
  {
    intervalSeconds: seconds(5, 'How often each server is asked whether it is well.'),
    failures: Type.Integer({
      minimum: 1,
      maximum: 100,
      default: 3,
      description: 'Failures in a row, of probes or of requests, after which a server gets no more requests.',
    }),
    ejectSeconds: seconds(
      10,
      'How long it is left out at least; it doubles with each time in a row, up to sixteen-fold.',
    ),
    slowStartSeconds: seconds(20, 'How long a server that came back gets fewer requests than the others.'),
  },
  { ...closed, default: {}, description: 'When a server is left out, and when it comes back.' },
);

/** What every backend has whose servers run elsewhere. */
const upstreamFields = {
  urls: Type.Array(Type.String({ pattern: '^https?://[^@\\s]+$' }), {
    minItems: 1,
    uniqueItems: true,
    description: 'Replicas of one model: http://HOST:PORT, without /v1 and without a password.',
  }),
  model: Type.Optional(
    Type.String({ minLength: 1, description: "The servers' own name for the model; else the one that they list." }),
  ),
  modelDirectory: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'The model as a directory or known name: tokenizer, template and embeddings. Needed by the completions wire and for /v1/completions.',
    }),
  ),
  apiKey: Type.Optional(secretSchema),
  controlTokens: Type.Enum(['neutralise', 'refuse'], {
    default: 'neutralise',
    description: "What happens to a client's text that spells a control token of the model.",
  }),
  retries: Type.Integer({
    minimum: 0,
    maximum: 5,
    default: 1,
    description: 'Further replicas that are tried before the first byte of an answer.',
  }),
  connections: Type.Integer({
    minimum: 1,
    maximum: 65_535,
    default: 1024,
    description: 'Most requests to one server at a time.',
  }),
  timeouts: timeoutsSchema,
  health: healthSchema,
};

const graft = Type.Optional(
  Type.String({
    minLength: 1,
    description: 'What preamble graft wrote: its preamble-graft.json, or the directory that holds it.',
  }),
);

/** Each entry costs a few bytes a request, and the output rows make it unnecessary wherever sampling stays within OpenAI's bounds. */
const banVirtualTokens = (value: boolean) =>
  Type.Boolean({
    default: value,
    description: 'Also send a logit_bias against each virtual token with every request.',
  });

const vllmSchema = Type.Object(
  {
    kind: Type.Enum(['vllm'], { description: 'vLLM servers.' }),
    wire: Type.Enum(['chat', 'completions', 'virtual-tokens'], {
      default: 'chat',
      description:
        'chat: the soft prompt is a content part of the message (vLLM 0.21 on). completions: the whole conversation is sent as embeddings. virtual-tokens: the servers serve a grafted model.',
    }),
    graft,
    banVirtualTokens: banVirtualTokens(false),
    ...upstreamFields,
  },
  closed,
);

const tgiSchema = Type.Object(
  {
    kind: Type.Enum(['tgi'], { description: 'Text Generation Inference servers of a grafted model.' }),
    graft,
    ...upstreamFields,
  },
  closed,
);

const llamacppSchema = Type.Object(
  {
    kind: Type.Enum(['llamacpp'], { description: "llama.cpp's servers of a grafted GGUF." }),
    graft,
    // There it is minus infinity, and its samplers are many.
    banVirtualTokens: banVirtualTokens(true),
    ...upstreamFields,
  },
  closed,
);

const sglangSchema = Type.Object(
  {
    kind: Type.Enum(['sglang'], { description: 'SGLang servers of a grafted model.' }),
    graft,
    banVirtualTokens: banVirtualTokens(false),
    ...upstreamFields,
  },
  closed,
);

/** One alternative a kind; `kind` says which. */
export const backendSchemas = [embeddedSchema, vllmSchema, tgiSchema, llamacppSchema, sglangSchema] as const;

export const backendSchema = Type.Union([...backendSchemas], { description: 'What answers.' });

export type EmbeddedSettings = Type.Static<typeof embeddedSchema>;
export type VllmSettings = Type.Static<typeof vllmSchema>;
/** Of any kind whose servers run elsewhere. */
export type UpstreamSettings =
  | VllmSettings
  | Type.Static<typeof tgiSchema>
  | Type.Static<typeof llamacppSchema>
  | Type.Static<typeof sglangSchema>;
export type BackendSettings = EmbeddedSettings | UpstreamSettings;
