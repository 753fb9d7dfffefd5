import type { ServerResponse } from 'node:http';
import type { Test } from 'tap';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import {
  chatCompletion,
  chatCompletionChunk,
  chatRequest,
  completionChunk,
  completionFinal,
  completionRequest,
  errorResponse,
  info,
  tokenizeResponse,
} from '../fixtures/tgi/schemas.ts';
import {
  beginEvents,
  doneEvent,
  type FakeVllm,
  type Received,
  sendJson,
  sendText,
  startFakeVllm,
} from './fake-vllm.ts';
import { countSpelled } from './spelled.ts';

/** What a TGI says and does beyond the ordinary. */
export interface FakeTgiOptions {
  /** How a choice ends. */
  finishReason?: 'stop' | 'eos_token' | 'stop_sequence' | 'length';
  /** Calls the first tool. */
  callsTool?: boolean;
  /** Answers with this error, or breaks off a stream with it. */
  fault?: { status: number; error: string; error_type: string } | null;
  /** Does not know the virtual tokens. */
  ungrafted?: boolean;
}

export interface FakeTgi extends FakeVllm {
  tgi: FakeTgiOptions;
}

/**
 * A stand-in for Text Generation Inference on a real socket: it takes and gives nothing that the published schema does not allow. Its way of
 * streaming is that of the router's code: every delta says the role, an error is an event, and `[DONE]` comes behind it all the same.
 */
export async function startFakeTgi(t: Test, tgi: FakeTgiOptions = {}): Promise<FakeTgi> {
  const fake = await startFakeVllm(t, {
    routes: {
      '/info': (response) => sendChecked(response, info, serverInfo),
      '/tokenize': (response, { body }) => sendChecked(response, tokenizeResponse, tokenize(body)),
      '/v1/models': (response) => sendJson(response, 200, { object: 'list', data: [] }),
    },
  });
  const all = Object.assign(fake, { tgi });
  fake.script = (response, received) => answer(response, received, all.tgi);
  return all;
}

const serverInfo = {
  model_id: '/data/grafted',
  max_concurrent_requests: 128,
  max_best_of: 2,
  max_stop_sequences: 4,
  max_input_tokens: 2048,
  max_total_tokens: 4096,
  validation_workers: 2,
  max_client_batch_size: 4,
  router: 'text-generation-router',
  version: '3.3.6',
};
const head = { id: '', created: 1, model: '/data/grafted', system_fingerprint: '3.3.6-sha' };

function answer(response: ServerResponse, received: Received, options: FakeTgiOptions) {
  const isChat = received.path === '/v1/chat/completions';
  if (!isChat && received.path !== '/v1/completions') return sendText(response, 404, '');
  const request: unknown = JSON.parse(received.body.toString());
  const schema = isChat ? chatRequest : completionRequest;
  if (!Value.Check(schema, request)) {
    const [error] = Value.Errors(schema, request);
    const where = `${error?.instancePath} ${error?.message}`;
    return sendText(response, 422, `Failed to deserialize the JSON body into the target type: ${where}`);
  }
  const { fault = null } = options;
  if (fault !== null && request.stream !== true) {
    const { status, ...body } = fault;
    return sendChecked(response, errorResponse, body, status);
  }
  if (request.temperature !== undefined && request.temperature !== null && request.temperature > 100) {
    const body = { error: 'Input validation error: temperature', error_type: 'validation' };
    return sendChecked(response, errorResponse, body, 422);
  }
  const prompt_tokens = countSpelled(received.body.toString(), options.ungrafted !== true);
  const usage = { prompt_tokens, completion_tokens: 3, total_tokens: prompt_tokens + 3 };
  if (request.stream === true) return stream(response, isChat, options, usage, received);
  const finish_reason = options.finishReason ?? 'stop';
  const call = {
    id: '0',
    type: 'function',
    function: { name: 'weather', arguments: { city: 'Paris' }, description: null },
  };
  const message = options.callsTool
    ? { role: 'assistant', tool_calls: [call] }
    : { role: 'assistant', content: 'Good day.' };
  const logprobs = { content: [{ token: 'Good', logprob: -0.5, top_logprobs: [] }] };
  const choice = isChat
    ? { index: 0, message, logprobs, finish_reason }
    : { index: 0, text: 'Good day.', finish_reason };
  sendChecked(response, isChat ? chatCompletion : completionFinal, { ...head, choices: [choice], usage });
}

function stream(
  response: ServerResponse,
  isChat: boolean,
  { finishReason = 'stop', callsTool, fault }: FakeTgiOptions,
  usage: object,
  { body }: Received,
): void {
  beginEvents(response);
  const schema = isChat ? chatCompletionChunk : completionChunk;
  const send = (part: object) => response.write(`data: ${JSON.stringify(checked(schema, { ...head, ...part }))}\n\n`);
  const texts = callsTool ? ['{', '"city":"Paris"', '}'] : ['Good', ' day', '.'];
  texts.forEach((text, index) => {
    const last = index === texts.length - 1;
    if (last && fault) return;
    const described = { name: index === 0 ? 'weather' : null, arguments: text };
    const calls = { index: 0, id: '0', type: 'function', function: described };
    const delta = callsTool ? { role: 'assistant', tool_calls: calls } : { role: 'assistant', content: text };
    // A completion's parts say how it ends from the first on: with nothing.
    const finish = last ? finishReason : isChat ? null : '';
    send({ choices: [{ index: 0, ...(isChat ? { delta } : { text }), finish_reason: finish }] });
  });
  if (fault) response.write(`data: ${JSON.stringify({ error: fault.error, error_type: fault.error_type })}\n\n`);
  else if (isChat && body.includes('"include_usage":true')) send({ choices: [], usage });
  response.end(doneEvent);
}

/** One token for a control token or a virtual one, else one for each letter. */
function tokenize(body: Buffer) {
  const { inputs } = JSON.parse(body.toString());
  const pieces: string[] = /^(<[^ ]*>|\[[A-Z_/]+\])$/.test(inputs) ? [inputs] : [...inputs];
  return pieces.map((text, index) => ({ id: index, text, start: index, stop: index + text.length }));
}

function sendChecked(response: ServerResponse, schema: TSchema, body: unknown, status = 200): void {
  sendJson(response, status, checked(schema, body));
}

/** A stand-in that says what TGI never would is worth nothing. */
function checked(schema: TSchema, body: unknown): unknown {
  if (Value.Check(schema, body)) return body;
  const [error] = Value.Errors(schema, body);
  throw new Error(`the stand-in answers what the schema does not allow: ${error?.instancePath} ${error?.message}`);
}
