import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Test } from 'tap';
import { decodeTorchSave } from '../../src/formats/torch-save/read.ts';

export interface FakeModel {
  id: string;
  /** Set for a LoRA adapter. */
  parent?: string;
}

export interface FakeOptions {
  models?: readonly FakeModel[];
  /** Null: the path is not there. */
  version?: string | null;
  /** Started with `--enable-prompt-embeds`. */
  embeddings?: boolean;
  hiddenSize?: number;
  /** Its template prints a list of parts as Python would. */
  stringifies?: boolean;
  apiKey?: string;
  /** How many tokens its tokenizer makes of a text of a chat; a token a word if left out. */
  countTokens?: (text: string) => number;
  /** Texts that its tokenizer takes as one token. */
  controlTokens?: readonly string[];
  /** What answers in vLLM's place, by path: for servers of other kinds. */
  routes?: Readonly<Record<string, Script>>;
}

/** One request that came, as it came. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** Resolves when the connection is closed before the answer is complete. */
  readonly aborted: Promise<void>;
}

/** How one request is answered. */
export type Script = (response: ServerResponse, received: Received) => unknown;

export interface FakeVllm {
  readonly origin: string;
  /** Requests that ask for an answer, and those on paths that vLLM does not have; not the questions about models and tokens. */
  readonly received: readonly Received[];
  /** All of them, by path. */
  count(path: string): number;
  /** What answers from now on; null for what vLLM would say. */
  script: Script | null;
  /** The same for `/v1/models`. */
  modelsScript: Script | null;
  options: FakeOptions;
  /** Resolves with the next request that comes. */
  next(): Promise<Received>;
  /** Connections that stand. */
  connections(): number;
  /** Refuses connections from now on, and breaks those that stand. */
  stop(): Promise<void>;
  /** Listens again at the same place. */
  start(): Promise<void>;
}

/** A server on a real socket that answers as vLLM does, or as the test says. Ended with the test. */
export async function startFakeVllm(t: Test, options: FakeOptions = {}): Promise<FakeVllm> {
  const counts = new Map<string, number>();
  const received: Received[] = [];
  const waiting: ((received: Received) => void)[] = [];
  const sockets = new Set<Socket>();
  let port = 0;

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    const aborted = new Promise<void>((resolve) => {
      response.on('close', () => {
        if (!response.writableFinished) resolve();
      });
    });
    response.on('error', () => {});
    request.on('error', () => {});
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers, rawHeaders } = request;
      void answer({ method, path: url, headers, rawHeaders, body: Buffer.concat(chunks), aborted }, response);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });

  async function answer(arrived: Received, response: ServerResponse): Promise<void> {
    const { path, headers } = arrived;
    counts.set(path, (counts.get(path) ?? 0) + 1);
    const { apiKey } = fake.options;
    if (apiKey !== undefined && headers.authorization !== `Bearer ${apiKey}`) {
      return sendJson(response, 401, { error: 'Unauthorized' });
    }
    const route = fake.options.routes?.[path];
    if (route !== undefined) return void (await route(response, arrived));
    if (path === '/v1/models') {
      await (fake.modelsScript ?? ((to) => sendJson(to, 200, listModels(fake.options))))(response, arrived);
      return;
    }
    if (path === '/health') return sendText(response, 200, '');
    if (path === '/version') {
      const version = fake.options.version === undefined ? '0.32.0' : fake.options.version;
      return version === null ? sendJson(response, 404, { detail: 'Not Found' }) : sendJson(response, 200, { version });
    }
    if (path === '/tokenize') return sendJson(response, 200, tokenize(arrived, fake.options));
    received.push(arrived);
    waiting.shift()?.(arrived);
    await (fake.script ?? ((to, from) => answerLikeVllm(to, from, fake.options)))(response, arrived);
  }

  const fake: FakeVllm = {
    get origin() {
      return `http://127.0.0.1:${port}`;
    },
    received,
    count: (path) => counts.get(path) ?? 0,
    script: null,
    modelsScript: null,
    options,
    next: () => new Promise((resolve) => waiting.push(resolve)),
    connections: () => sockets.size,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.resetAndDestroy();
      await closed;
    },
    async start() {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      if (typeof address === 'object' && address !== null) port = address.port;
    },
  };
  await fake.start();
  t.teardown(async () => {
    if (server.listening) await fake.stop();
  });
  return fake;
}

export function sendJson(response: ServerResponse, status: number, body: unknown, headers: object = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

export function sendText(response: ServerResponse, status: number, body: string, headers: object = {}): void {
  response.writeHead(status, { 'content-type': 'text/plain', ...headers });
  response.end(body);
}

/** Sends the head of an event stream. */
export function beginEvents(response: ServerResponse): ServerResponse {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  response.flushHeaders();
  return response;
}

/** One chunk of a chat answer, as an event. */
export function chunkEvent(content: string, more: object = {}): string {
  const choice = { index: 0, delta: { content }, finish_reason: null, ...more };
  return `data: ${JSON.stringify({ id: 'chatcmpl-fake', object: 'chat.completion.chunk', choices: [choice] })}\n\n`;
}

/** The last chunk of a choice, the token counts, and the end. */
export const lastChunk = chunkEvent('', { finish_reason: 'stop' });
export const usageEvent = `data: ${JSON.stringify({
  id: 'chatcmpl-fake',
  object: 'chat.completion.chunk',
  choices: [],
  usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
})}\n\n`;
export const doneEvent = 'data: [DONE]\n\n';

function listModels({ models = [{ id: 'org/model' }] }: FakeOptions) {
  const data = models.map(({ id, parent }) => ({
    id,
    object: 'model',
    owned_by: 'vllm',
    root: id,
    parent: parent ?? null,
    max_model_len: 4096,
  }));
  return { object: 'list', data };
}

/** One token for a text of those, else one for each of its words and one more. */
function tokenize({ body }: Received, { controlTokens = ['<|im_start|>', '<|im_end|>', '<s>', '</s>'] }: FakeOptions) {
  const { prompt } = JSON.parse(body.toString());
  const tokens = controlTokens.includes(prompt) ? [1] : [1, ...String(prompt).split(/\s+/).keys()];
  return { count: tokens.length, tokens, max_model_len: 4096 };
}

interface FakePart {
  type: string;
  text?: string;
  data?: string;
}

/** Says the same to everyone, and counts tokens: words, rows of embeddings, three around a message, and one between two parts. */
export function answerLikeVllm(response: ServerResponse, received: Received, options: FakeOptions) {
  const request = JSON.parse(received.body.toString());
  const isChat = received.path === '/v1/chat/completions';
  if (!isChat && received.path !== '/v1/completions') return sendJson(response, 404, { detail: 'Not Found' });
  if (!(options.models ?? [{ id: 'org/model' }]).some(({ id }) => id === request.model)) {
    return sendFault(response, 404, `The model \`${request.model}\` does not exist.`);
  }
  let promptTokens: number;
  try {
    promptTokens = isChat
      ? countMessages(request.messages, options)
      : request.prompt_embeds === undefined
        ? countPrompt(request.prompt)
        : [request.prompt_embeds].flat().reduce((sum, data) => sum + countRows(data, options), 0);
  } catch (error) {
    return sendFault(response, 400, error instanceof Error ? error.message : String(error));
  }
  const usage = { prompt_tokens: promptTokens, completion_tokens: 3, total_tokens: promptTokens + 3 };
  const id = isChat ? 'chatcmpl-fake' : 'cmpl-fake';
  if (request.stream === true) {
    beginEvents(response);
    for (const text of ['Good', ' day', '.']) {
      const said = isChat ? { delta: { content: text } } : { text };
      const choice = { index: 0, ...said, finish_reason: text === '.' ? 'stop' : null };
      response.write(`data: ${JSON.stringify({ id, model: request.model, choices: [choice] })}\n\n`);
    }
    if (request.stream_options?.include_usage === true) {
      response.write(`data: ${JSON.stringify({ id, model: request.model, choices: [], usage })}\n\n`);
    }
    response.end(doneEvent);
    return;
  }
  const logprobs = isChat
    ? { content: [{ token: 'Good', logprob: -0.5, bytes: null, top_logprobs: [] }] }
    : { tokens: ['Good'], token_logprobs: [-0.5], top_logprobs: null, text_offset: [0] };
  const said = isChat ? { message: { role: 'assistant', content: 'Good day.' } } : { text: 'Good day.' };
  sendJson(response, 200, {
    id,
    object: isChat ? 'chat.completion' : 'text_completion',
    created: 1,
    model: request.model,
    choices: [{ index: 0, ...said, logprobs, finish_reason: 'stop' }],
    usage,
  });
}

function sendFault(response: ServerResponse, status: number, message: string): void {
  const type = status === 404 ? 'NotFoundError' : 'BadRequestError';
  sendJson(response, status, { error: { message, type, param: null, code: status } });
}

function countMessages(messages: readonly { content: string | FakePart[] | null }[], options: FakeOptions): number {
  return messages.reduce((sum, { content }) => sum + 3 + countContent(content, options), 0);
}

function countContent(content: string | FakePart[] | null, options: FakeOptions): number {
  const { countTokens = countWords } = options;
  if (content === null) return 0;
  if (typeof content === 'string') return countTokens(content);
  const counts = content.map((part) =>
    part.type === 'prompt_embeds' ? countRows(part.data ?? '', options) : countTokens(part.text ?? ''),
  );
  const around = options.stringifies === true ? 5 * content.length : content.length - 1;
  return counts.reduce((sum, count) => sum + count, around);
}

function countRows(data: string, { embeddings = true, hiddenSize = 4 }: FakeOptions): number {
  if (!embeddings) throw new Error('You must set `--enable-prompt-embeds` to input `prompt_embeds`');
  const { rows, columns } = decodeTorchSave(Buffer.from(data, 'base64'), 'request').tensor;
  if (columns !== hiddenSize) throw new Error(`Expected embeddings of hidden size ${hiddenSize}, got ${columns}.`);
  return rows;
}

/** Token ids count themselves. */
function countPrompt(prompt: unknown): number {
  return Array.isArray(prompt) && typeof prompt[0] === 'number' ? prompt.length : countWords(String(prompt));
}

function countWords(text: string): number {
  return text.split(/\s+/).filter((word) => word !== '').length;
}
