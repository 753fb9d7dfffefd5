import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { buildProxy, post, question, writeProxySettings } from './helpers/build-proxy.ts';
import { sendJson, startFakeVllm } from './helpers/fake-vllm.ts';
import { runCli } from './helpers/serve-process.ts';

t.test('operators see servers, prompts and tenants; nothing of it is on the public port', async (t) => {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake]);
  const response = await fetch(`${proxy.admin}/status`);
  t.equal(response.status, 200);
  t.match(await response.json(), {
    generation: 1,
    reasons: [],
    models: [
      {
        name: 'chat',
        backend: 'vllm',
        prompt: { name: 'test/kind', version: '1.0.0', tokens: 3, position: 'system' },
        servers: [{ url: fake.origin, healthy: true, outstanding: 0, weight: 1, problem: null }],
      },
    ],
    tenants: [],
  });
  const policy = response.headers.get('content-security-policy') ?? '';
  t.match(policy, /default-src 'none'/);
  t.notMatch(policy, /unsafe|http|\*/, 'nothing that stands in a page, and no other host');
  t.equal(response.headers.get('x-content-type-options'), 'nosniff');
  t.equal(response.headers.get('x-frame-options'), 'DENY');
  t.equal((await fetch(`${proxy.admin}/readyz`)).status, 200);
  t.equal((await fetch(`${proxy.admin}/status`, { method: 'POST' })).status, 405);
  for (const path of ['/status', '/admin', '/admin/status', '/v1/status']) {
    t.equal((await fetch(proxy.origin + path)).status, 404, path);
  }
  t.match(await post(proxy.admin, question), { status: 404 }, 'and no model on theirs');
});

t.test('listed paths are handed on, with the server’s name for the model and answered as it answers', async (t) => {
  const fake = await startFakeVllm(t, { apiKey: 'k' });
  process.env['ADMIN_TEST_KEY'] = 'k';
  const proxy = await buildProxy(t, [fake], {
    backend: { apiKey: { env: 'ADMIN_TEST_KEY' } },
    more: { passThrough: ['/v1/embeddings'] },
  });
  fake.script = (response) =>
    sendJson(response, 200, { data: [{ embedding: [0.5] }] }, { 'x-ratelimit-limit-requests': '5' });
  const body = '{"input":["<s>"],"seed":12345678901234567890,"model":"chat"}';
  const answer = await proxy.post(body, { path: '/v1/embeddings', headers: { authorization: 'Bearer mine' } });
  t.equal(answer.text, '{"data":[{"embedding":[0.5]}]}');
  t.equal(answer.headers.get('x-ratelimit-limit-requests'), '5');
  const received = fake.received.at(-1);
  t.equal(received?.path, '/v1/embeddings');
  t.equal(received?.body.toString(), body.replace('"chat"', '"org/model"'));
  t.equal(received?.headers.authorization, 'Bearer k');
  t.equal(proxy.decisions().length, 0);
  const before = fake.received.length;
  for (const [path, asked, status] of [
    ['/v1/rerank', question, 404],
    ['/v1/embeddings', { input: 'x' }, 400],
    ['/v1/embeddings', { model: 'other', input: 'x' }, 404],
    ['/v1/embeddings', { model: 'chat', prompt_embeds: 'x' }, 400],
    ['/v1/embeddings', '{"model":"chat","model":"chat"}', 400],
  ] as const) {
    t.match(await proxy.post(asked, { path }), { status }, `${path} ${JSON.stringify(asked)}`);
  }
  t.equal(fake.received.length, before);
  fake.script = (response) => sendJson(response, 400, { error: { message: 'No.' } });
  t.match(await proxy.post(body, { path: '/v1/embeddings' }), { status: 400, text: /"No\."/ });
});

t.test('paths that would answer without the prompt are refused in the settings', async (t) => {
  for (const path of [
    '/v1/chat/completions',
    '/v1/completions',
    '/v1//completions',
    '/v1/chat/completions/render',
    '/v1/responses',
    '/v1/messages',
    '/v1/models',
    '/v1/load_lora_adapter',
  ]) {
    const cwd = await writeProxySettings(t, [{ origin: 'http://127.0.0.1:1' }], { more: { passThrough: [path] } });
    t.match(await runCli(t, cwd, ['config', 'check']), { code: 1, stderr: /passThrough/ }, path);
  }
});

t.test('bodies and heads have an end', async (t) => {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake], { prompt: null, more: { limits: { bodyBytes: 4096 } } });
  const large = await proxy.post({ ...question, x: 'y'.repeat(5000) });
  t.equal(large.status, 413);
  t.match(large.json(), { error: { code: 'body_too_large' } });
  const socket = createConnection(Number(new URL(proxy.origin).port), '127.0.0.1');
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`);
  t.match(await text(socket), /^HTTP\/1\.1 4\d\d .*"error"/s);
  t.equal(fake.received.length, 0);
});
