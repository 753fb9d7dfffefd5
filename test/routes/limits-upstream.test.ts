import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { keyDigest } from '../../src/policy/tenant-of-key.ts';
import { postJson, until } from '../helpers/build.ts';
import { live } from '../helpers/live.ts';
import { clientOf } from '../helpers/tenants.ts';

const chat = { model: 'served', messages: [{ role: 'user' as const, content: 'Hi' }], max_tokens: 100 };
const usage = { prompt_tokens: 20, completion_tokens: 10, total_tokens: 30 };
const limitsOfServer = { 'x-ratelimit-limit-tokens': '7', 'x-ratelimit-remaining-requests': '5' };
const part = (delta: object, more: object = {}) =>
  `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: null }], ...more })}\n\n`;

/** A server with vLLM's paths, which says what it is told to say. */
async function upstream(t: Test, answer: (body: string, response: ServerResponse) => void) {
  const requests: IncomingMessage[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    if (request.url === '/v1/models') response.end('{"object":"list","data":[{"id":"m"}]}');
    else if (request.url === '/version') response.end('{"version":"0.26.0"}');
    else if (request.url !== '/v1/chat/completions') response.writeHead(404).end('{}');
    else {
      requests.push(request);
      answer(body, response);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { requests, port: typeof address === 'object' && address !== null ? address.port : 0 };
}

const yaml = (port: number, limits: string) => `
models:
  served:
    prompt: null
    onPromptUnavailable: none
    backend: { kind: vllm, urls: ["http://127.0.0.1:${port}"], retries: 0 }
tenants:
  - { id: limited, keys: ["${keyDigest('pmb_limited')}"], limits: ${limits} }
  - { id: free, keys: ["${keyDigest('pmb_free')}"] }
`;

t.test("a tenant's limits stand in the place of the model server's, and its key stays here", async (t) => {
  const { port, requests } = await upstream(t, (_, response) => {
    const message = { role: 'assistant', content: 'Hello.' };
    const choices = [{ index: 0, message, finish_reason: 'stop' }];
    response.writeHead(200, { 'content-type': 'application/json', ...limitsOfServer });
    response.end(JSON.stringify({ id: 'x', object: 'chat.completion', created: 1, model: 'm', choices, usage }));
  });
  const { origin } = await live(t, yaml(port, '{ tokensPerMinute: 1000, requestsPerMinute: 60 }'));
  const free = await clientOf(origin, 'pmb_free').chat.completions.create(chat).withResponse();
  t.equal(free.response.headers.get('x-ratelimit-limit-tokens'), '7');
  const limited = await clientOf(origin, 'pmb_limited').chat.completions.create(chat).withResponse();
  t.equal(limited.response.headers.get('x-ratelimit-limit-tokens'), '1000');
  t.equal(limited.response.headers.get('x-ratelimit-remaining-requests'), '59');
  t.equal(requests.length, 2);
  t.notMatch(JSON.stringify(requests.map(({ rawHeaders }) => rawHeaders)), /pmb_|authorization/i);
});

t.test("a stream's tokens are settled by the counts that only the gateway asked for", async (t) => {
  const { port } = await upstream(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', ...limitsOfServer });
    response.write(part({ role: 'assistant', content: 'Hello.' }));
    response.end(`${part({}, { choices: [], usage })}data: [DONE]\n\n`);
  });
  const { origin } = await live(t, yaml(port, '{ tokensPerMinute: 1000 }'));
  const client = clientOf(origin, 'pmb_limited');
  const once = async () => {
    const { data, response } = await client.chat.completions.create({ ...chat, stream: true }).withResponse();
    for await (const chunk of data) t.notOk(chunk.usage);
    return Number(response.headers.get('x-ratelimit-remaining-tokens'));
  };
  const [first, second] = [await once(), await once()];
  const flowed = (first - second - usage.total_tokens) * -1;
  t.ok(flowed >= 0 && flowed < 500, `30 were counted, and ${flowed} flowed back meanwhile`);
  t.ok(first > 800 && second > 800);
});

t.test('a place is given back when the model server breaks off, errs, or the client leaves', async (t) => {
  let say: (response: ServerResponse) => void = () => {};
  const { port, requests } = await upstream(t, (_, response) => say(response));
  const { origin, logs } = await live(t, yaml(port, '{ streams: 1 }'));
  const client = clientOf(origin, 'pmb_limited');
  const stream = () => client.chat.completions.create({ ...chat, stream: true });
  const decisions = () => logs.filter((line) => line['event'] === 'refusal.decision').length;
  const begin = (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(part({ content: 'Hel' }));
  };

  say = (response) => {
    begin(response);
    setImmediate(() => response.destroy());
  };
  const broken = await stream();
  await t.rejects(async () => {
    for await (const _ of broken);
  });
  say = (response) => response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}');
  t.match(await stream().catch((thrown: unknown) => thrown), { status: 400 }, 'free again after it broke off');
  say = begin;
  const left = await stream();
  const refused = await postJson(`${origin}/v1/chat/completions`, chat, { authorization: 'Bearer pmb_limited' });
  t.equal(refused.status, 429);
  const before = decisions();
  left.controller.abort();
  await until(() => decisions() > before);
  const next = await stream();
  t.equal(requests.length, 4, 'free again after the error, and after the client left');
  next.controller.abort();
});
