import Type from 'typebox';
import { Value } from 'typebox/value';
import { PreambleError } from '../../errors.ts';
import type { Edit } from '../../formats/splice.ts';
import { isObject } from '../../openai/validate.ts';
import { type Check, type CheckContext, ok } from '../upstream/check.ts';
import type { Dialect, RequestText, Served, Surface } from '../upstream/dialect.ts';
import { findControlTokens, notOpenAi } from '../upstream/discovery.ts';
import { refuseContinuation } from '../upstream/refuse-continuation.ts';
import { commonRefusals, refusedField, refuseFields } from '../upstream/refused-fields.ts';
import type { UpstreamServer } from '../upstream/server.ts';
import { askHealth, getJson, type ServerCall } from '../upstream/server-json.ts';
import { readTgiAnswer } from './read-answer.ts';

/** Any other name is a LoRA adapter's. */
const BASE_MODEL = 'tgi';
const DROPPED = 'TGI would ignore it';

const infoSchema = Type.Object(
  { model_id: Type.String(), version: Type.String(), max_total_tokens: Type.Integer({ minimum: 1 }) },
  { additionalProperties: true },
);

/** What it parses and drops, or does not know, and an answer would be wrong without. */
const refused = {
  chat: { ...commonRefusals, n: { reason: DROPPED, harmless: [1] } },
  completion: {
    ...commonRefusals,
    n: { reason: DROPPED, harmless: [1] },
    best_of: { reason: DROPPED, harmless: [1] },
    echo: { reason: DROPPED, harmless: [false] },
    logprobs: { reason: DROPPED, harmless: [false] },
  },
} as const;

/**
 * Text Generation Inference (2 and 3), by its OpenAI routes. It joins parts of a message without anything between them, prints an image's
 * URL into the text, and goes on with a conversation that ends with the assistant's words.
 */
export const tgiDialect: Dialect = {
  kind: 'tgi',
  discover,
  checkVersion,
  findControlTokens: (server, _model, call) =>
    findControlTokens(server, call, {
      body: (inputs) => ({ inputs, parameters: {} }),
      // With what the tokenizer puts around a text.
      count: (answer) => (Array.isArray(answer) ? answer.filter((token) => !isAround(token)).length : null),
    }),
  readFields: ['tool_prompt', 'guideline', 'suffix'],
  refuse(request, surface) {
    refuseFields(request, refused[surface]);
    const bias: unknown = Reflect.get(request, 'logit_bias');
    if (isObject(bias) && Object.keys(bias).length > 0) throw refusedField('logit_bias', DROPPED);
    if (surface === 'chat') refuseContinuation(request);
    else refuseTokenIds(request);
  },
  edits,
  readAnswer: readTgiAnswer,
};

async function askInfo(server: UpstreamServer, call: ServerCall) {
  const info = await getJson(server, '/info', call);
  if (!Value.Check(infoSchema, info)) throw notOpenAi(server.url, '/info');
  return info;
}

async function discover(server: UpstreamServer, wanted: string | null, call: ServerCall): Promise<Served> {
  await askHealth(server, call);
  const { max_total_tokens: contextLength } = await askInfo(server, call);
  return { model: wanted ?? BASE_MODEL, adapters: [], contextLength };
}

async function checkVersion({ server, call }: CheckContext): Promise<Check> {
  const { model_id: model, version } = await askInfo(server, call);
  return ok('version', `TGI ${version}, ${model}.`);
}

function isAround(token: unknown): boolean {
  return isObject(token) && token['start'] === 0 && token['stop'] === 0;
}

function refuseTokenIds(request: object): void {
  const prompt: unknown = Reflect.get(request, 'prompt');
  if (!Array.isArray(prompt) || prompt.every((part) => typeof part === 'string')) return;
  throw new PreambleError('unsupported_parameter', 'TGI takes no token ids.', {
    action: 'Send the prompt as text.',
    param: 'prompt',
  });
}

/** It knows `max_tokens` alone, stop strings in a list, and a list where OpenAI has an object of biases. */
function edits({ bytes, object, fields }: RequestText, request: object, surface: Surface): Edit[] {
  const made: Edit[] = [];
  const stop = fields.get('stop');
  if (stop !== undefined && typeof Reflect.get(request, 'stop') === 'string') {
    made.push({ ...stop, bytes: [open, bytes.subarray(stop.start, stop.end), close] });
  }
  const bias = fields.get('logit_bias');
  if (bias !== undefined) made.push({ ...bias, bytes: [none] });
  const most = fields.get('max_completion_tokens');
  if (
    surface === 'completion' ||
    most === undefined ||
    typeof Reflect.get(request, 'max_completion_tokens') !== 'number'
  ) {
    return made;
  }
  const value = bytes.subarray(most.start, most.end);
  const old = fields.get('max_tokens');
  const inside = object.start + 1;
  made.push(
    old === undefined ? { start: inside, end: inside, bytes: [maxTokens, value, comma] } : { ...old, bytes: [value] },
  );
  return made;
}

const [open, close, comma, none] = [Buffer.from('['), Buffer.from(']'), Buffer.from(','), Buffer.from('null')];
const maxTokens = Buffer.from('"max_tokens":');
