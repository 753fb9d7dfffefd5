import type { ServerResponse } from 'node:http';
import type { Test } from 'tap';
import {
  beginEvents,
  doneEvent,
  type FakeVllm,
  type Received,
  type Script,
  sendJson,
  startFakeVllm,
} from './fake-vllm.ts';
import { countSpelled } from './spelled.ts';

export interface FakeOptions {
  /** Does not know the virtual tokens. */
  ungrafted?: boolean;
  /** Answers with this error. */
  fault?: { status: number; body: object } | null;
  /** The first token of its answers. */
  says?: { token: string; logprob: number };
  /** Answers with this status until the model has been read. */
  loading?: boolean;
}

export interface FakeOpenAi extends FakeVllm {
  openai: FakeOptions;
}

/** A stand-in for llama.cpp's server: its routes, and its errors as its README shows them. */
export async function startFakeLlamaCpp(t: Test, options: FakeOptions = {}): Promise<FakeOpenAi> {
  return await start(t, options, {
    '/health': (response) =>
      fakes.get(response.req.socket.localPort)?.openai.loading === true
        ? sendJson(response, 503, { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } })
        : sendJson(response, 200, { status: 'ok' }),
    '/props': (response) =>
      sendJson(response, 200, { build_info: 'b8681-made-up', default_generation_settings: { n_ctx: 2048 } }),
    '/v1/models': (response) =>
      sendJson(response, 200, {
        object: 'list',
        data: [{ id: 'model.gguf', meta: { n_vocab: 49280, n_ctx_train: 8192 } }],
      }),
  });
}

/** A stand-in for SGLang. */
export async function startFakeSglang(t: Test, options: FakeOptions = {}): Promise<FakeOpenAi> {
  return await start(t, options, {
    '/get_server_info': (response) => sendJson(response, 404, { detail: 'Not Found' }),
    '/server_info': (response) => sendJson(response, 200, { version: '0.5.9', internal_states: [] }),
    '/v1/models': (response) =>
      sendJson(response, 200, {
        object: 'list',
        data: [{ id: 'grafted', owned_by: 'sglang', root: 'grafted', parent: null, max_model_len: 8192 }],
      }),
  });
}

/** A stand-in for a vLLM that serves a graft. */
export async function startFakeGraftedVllm(t: Test, options: FakeOptions = {}): Promise<FakeOpenAi> {
  return await start(t, options, {});
}

const fakes = new Map<number | undefined, FakeOpenAi>();

async function start(t: Test, openai: FakeOptions, routes: Record<string, Script>): Promise<FakeOpenAi> {
  const fake = Object.assign(await startFakeVllm(t, { routes }), { openai });
  fakes.set(Number(new URL(fake.origin).port), fake);
  fake.script = (response, received) => answer(response, received, fake.openai);
  return fake;
}

function answer(
  response: ServerResponse,
  { path, body }: Received,
  { fault, ungrafted, says = { token: 'Good', logprob: -0.5 } }: FakeOptions,
) {
  if (fault) return sendJson(response, fault.status, fault.body);
  const request = JSON.parse(body.toString());
  const isChat = path === '/v1/chat/completions';
  const tokens = countSpelled(body.toString(), ungrafted !== true);
  const usage = { prompt_tokens: tokens, completion_tokens: 3, total_tokens: tokens + 3 };
  if (request.stream === true) {
    beginEvents(response);
    for (const text of ['Good', ' day', '.']) {
      const said = isChat ? { delta: { content: text } } : { text };
      const finish = text === '.' ? 'stop' : null;
      response.write(`data: ${JSON.stringify({ choices: [{ index: 0, ...said, finish_reason: finish }] })}\n\n`);
    }
    if (request.stream_options?.include_usage === true)
      response.write(`data: ${JSON.stringify({ choices: [], usage })}\n\n`);
    response.end(doneEvent);
    return;
  }
  const logprobs = { content: [{ ...says, bytes: null, top_logprobs: [] }] };
  const said = isChat ? { message: { role: 'assistant', content: 'Good day.' }, logprobs } : { text: 'Good day.' };
  sendJson(response, 200, {
    id: 'x',
    object: isChat ? 'chat.completion' : 'text_completion',
    created: 1,
    model: request.model,
    choices: [{ index: 0, ...said, finish_reason: 'stop' }],
    usage,
  });
}
