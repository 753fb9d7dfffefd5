import t, { type Test } from 'tap';
import { keyDigest } from '../../src/policy/tenant-of-key.ts';
import { type BuiltProxy, buildProxy, type ProxySettings, question } from '../helpers/build-proxy.ts';
import { type FakeGuard, startFakeGuard, word } from '../helpers/fake-guard.ts';
import { startFakeLlamaCpp, startFakeSglang } from '../helpers/fake-openai.ts';
import { startFakeTgi } from '../helpers/fake-tgi.ts';
import {
  beginEvents,
  chunkEvent,
  doneEvent,
  type FakeVllm,
  lastChunk,
  sendJson,
  startFakeVllm,
  usageEvent,
} from '../helpers/fake-vllm.ts';
import { tinyChatModel } from '../helpers/tiny-model.ts';

const headers = { authorization: 'Bearer strict' };
const stream = { ...question, stream: true };
const tenants = [
  { id: 'strict', keys: [keyDigest('strict')], mode: 'enforce' },
  { id: 'watched', keys: [keyDigest('watched')] },
];

interface Built {
  readonly fake: FakeVllm;
  readonly guard: FakeGuard;
  readonly proxy: BuiltProxy;
}

async function start(t: Test, settings: object = {}, more: ProxySettings & { fake?: FakeVllm } = {}): Promise<Built> {
  const fake = more.fake ?? (await startFakeVllm(t));
  const guard = await startFakeGuard(t);
  const asked = { kind: 'http', url: guard.url, onUnavailable: 'replace', replacement: 'Withheld.', ...settings };
  const proxy = await buildProxy(t, [fake], { prompt: null, ...more, more: { tenants, guard: asked } });
  return { fake, guard, proxy };
}

/** A stream of these texts, one a chunk, that waits before each chunk from the second on. */
const saying =
  (texts: readonly string[], pause: () => Promise<unknown> = async () => {}): FakeVllm['script'] =>
  async (response) => {
    beginEvents(response);
    for (const [index, text] of texts.entries()) {
      if (index > 0) await pause();
      response.write(chunkEvent(text));
    }
    response.end(lastChunk + usageEvent + doneEvent);
  };

const textOf = (answer: string): string =>
  [...answer.matchAll(/"content":"((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text).join('');

const kinds: [name: string, (t: Test) => Promise<ProxySettings & { fake: FakeVllm }>][] = [
  ['vLLM', async (t) => ({ fake: await startFakeVllm(t) })],
  [
    'vLLM by completions',
    async (t) => ({
      fake: await startFakeVllm(t, { hiddenSize: 32 }),
      backend: { wire: 'completions', modelDirectory: './model' },
      files: { model: await tinyChatModel() },
    }),
  ],
  ['TGI', async (t) => ({ fake: await startFakeTgi(t), graft: 'own', backend: { kind: 'tgi' } })],
  ['llama.cpp', async (t) => ({ fake: await startFakeLlamaCpp(t), graft: 'own', backend: { kind: 'llamacpp' } })],
  ['SGLang', async (t) => ({ fake: await startFakeSglang(t), graft: 'own', backend: { kind: 'sglang' } })],
];
for (const [name, make] of kinds) {
  t.test(`${name}: what is flagged is replaced, whole and streamed, chat and completion`, async (t) => {
    const { guard, proxy } = await start(t, { holdBack: 'answer' }, await make(t));
    for (const flags of [word, 'day']) {
      guard.flags = flags;
      for (const path of ['/v1/chat/completions', '/v1/completions', '/v1/responses']) {
        for (const body of [question, stream]) {
          const asked =
            path === '/v1/responses'
              ? { ...body, input: 'Hi' }
              : path === '/v1/completions'
                ? { ...body, prompt: 'Hi' }
                : body;
          const { text } = await proxy.post(asked, { path, headers });
          t.equal(/Good/.test(text), flags === word, `${path} ${text}`);
          t.equal(/Withheld\./.test(text), flags !== word);
        }
      }
    }
  });
}

t.test('what it is asked, and with what', async (t) => {
  process.env['GUARD_TEST_KEY'] = 'guard-key';
  const { fake, guard, proxy } = await start(t, { model: 'omni', apiKey: { env: 'GUARD_TEST_KEY' } });
  const sentence = `${'word '.repeat(20)}end. `;
  const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 50));
  fake.script = saying([sentence, 'And', ' more.'], pause);
  const { headers: answered } = await proxy.post(stream, { headers });
  t.match(guard.received[0], { method: 'POST', path: '/v1/moderations' });
  t.match(guard.received[0]?.headers, {
    authorization: 'Bearer guard-key',
    'content-type': 'application/json',
    'x-request-id': answered.get('x-request-id'),
  });
  t.strictSame(JSON.parse(String(guard.received[0]?.body)), { model: 'omni', input: sentence });
  t.strictSame(guard.inputs.slice(1), [[`${sentence}And more.`]], 'the rest, with what stands before it');
  t.match(proxy.decisions(), [{ guard: { name: 'http', action: 'passed', reason: null }, promptTokens: 7 }]);
});

t.test('the reason is the category that weighs most, and no text of the endpoint', async (t) => {
  const { fake, guard, proxy } = await start(t);
  fake.script = saying([word]);
  await proxy.post(stream, { headers });
  guard.script = (response) =>
    sendJson(response, 200, { results: [{ flagged: true, categories: { [`your answer: ${word}`]: true } }] });
  await proxy.post(stream, { headers });
  t.match(proxy.decisions(), [{ guard: { action: 'replaced', reason: 'violence' } }, { guard: { reason: 'flagged' } }]);
  t.notMatch(JSON.stringify(proxy.logs), word);
  const metrics = await (await fetch(`${proxy.admin}/metrics`)).text();
  t.notMatch(metrics, word);
});

t.test('counted by tenant, action and reason', async (t) => {
  const { fake, proxy } = await start(t);
  await fetch(`${proxy.admin}/metrics`);
  fake.script = saying([word]);
  await proxy.post(stream, { headers });
  await proxy.post(stream, { headers: { authorization: 'Bearer watched' } });
  fake.script = null;
  await proxy.post(question, { headers });
  const count = async () =>
    (await (await fetch(`${proxy.admin}/metrics`)).text())
      .split('\n')
      .filter((line) => line.startsWith('preamble_guard_verdicts_total{'));
  while ((await count()).length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  t.strictSame((await count()).sort(), [
    'preamble_guard_verdicts_total{model="chat",tenant="strict",action="passed",reason="none"} 1',
    'preamble_guard_verdicts_total{model="chat",tenant="strict",action="replaced",reason="violence"} 1',
    'preamble_guard_verdicts_total{model="chat",tenant="watched",action="would-replace",reason="violence"} 1',
  ]);
});

t.test(
  'holdBack none: text goes on while it is judged, and the server is left once the verdict is there',
  async (t) => {
    const { fake, guard, proxy } = await start(t);
    const sentence = `${'word '.repeat(20)}${word}. `;
    let left = false;
    fake.script = async (response, { aborted }) => {
      beginEvents(response).write(chunkEvent(sentence));
      void aborted.then(() => {
        left = true;
      });
      await aborted;
    };
    const { text } = await proxy.post(stream, { headers });
    t.equal(textOf(text), `${sentence}\\n\\nWithheld.`);
    t.match(text, '"finish_reason":"content_filter"');
    t.ok(text.endsWith(doneEvent));
    await proxy.outstanding(0);
    t.ok(left);
    t.equal(guard.received.length, 1);
    t.match(await proxy.status(), { models: [{ servers: [{ healthy: true, problem: null }] }] });
  },
);

t.test('holdBack sentence: what is flagged is never sent, what came before it is', async (t) => {
  const { fake, proxy } = await start(t, { holdBack: 'sentence' });
  const good = `${'word '.repeat(20)}end.\n`;
  fake.script = saying([good, ` ${word}`, ' and so on.']);
  const { text } = await proxy.post(stream, { headers });
  t.notMatch(text, word);
  t.match(textOf(text), /Withheld\.$/);
});

t.test('a guard that is away, slow, or says what can not be read', async (t) => {
  const wrong: [name: string, script: FakeGuard['script']][] = [
    ['an error', (response) => sendJson(response, 500, { error: { message: word } })],
    ['no JSON', (response) => response.end('<html>')],
    ['another shape', (response) => sendJson(response, 200, { results: [] })],
    ['fewer results than inputs', (response) => sendJson(response, 200, { results: [{ flagged: 'no' }] })],
    ['silence', () => {}],
    ['a broken connection', (response) => response.socket?.destroy()],
  ];
  for (const onUnavailable of ['pass', 'replace']) {
    const { guard, proxy } = await start(t, { onUnavailable, timeoutSeconds: 1 });
    for (const [name, script] of wrong) {
      guard.script = script;
      const { text } = await proxy.post(question, { headers });
      t.equal(text.includes('Withheld.'), onUnavailable === 'replace', name);
      const action = onUnavailable === 'replace' ? 'replaced' : 'passed';
      t.match(proxy.decisions().at(-1), { guard: { action, reason: 'unavailable' } }, name);
    }
    const told = proxy.logs.filter(({ event }) => event === 'guard.unavailable');
    t.equal(told.length, 1, 'once a minute');
    t.match(told[0], { instead: onUnavailable, questions: 1, err: { message: /status 500/ } });
    t.notMatch(JSON.stringify(proxy.logs), word);
  }
});

t.test('a connection that was closed while it was idle is no guard that is away', async (t) => {
  const { guard, proxy } = await start(t);
  await proxy.post(question, { headers });
  let broken = 0;
  guard.script = (response) => {
    guard.script = null;
    broken++;
    response.socket?.resetAndDestroy();
  };
  t.match((await proxy.post(question, { headers })).text, 'Good day.');
  t.equal(broken, 1);
  t.match(proxy.decisions().at(-1), { guard: { action: 'passed', reason: null } });
});

t.test('a server’s answer that can not be read is not handed on', async (t) => {
  const { fake, proxy } = await start(t);
  fake.script = (response) => sendJson(response, 200, { choices: [{ message: word }] });
  t.match(await proxy.post(question, { headers }), { status: 502, text: /upstream_invalid/ });
  fake.script = (response) => beginEvents(response).end(`data: {"choices":[{"delta":"${word}"}]}\n\n${doneEvent}`);
  const { text } = await proxy.post(stream, { headers });
  t.match(text, 'upstream_invalid');
  t.notMatch(text, word);
  fake.script = (response) =>
    beginEvents(response).end(`${chunkEvent('Hi')}data: {"error":{"message":"EngineCore died"}}\n\n${doneEvent}`);
  t.match((await proxy.post(stream, { headers })).text, /Hi.*EngineCore died/s, 'what it says of itself is');
});

t.test('settings that enforce nothing, or have a secret in them, are refused', async (t) => {
  const fake = await startFakeVllm(t);
  await t.rejects(buildProxy(t, [fake], { prompt: null, more: { tenants } }), {
    code: 'config_invalid',
    message: /tenants.*mode.*no guard/,
  });
  const at = (settings: object) => {
    const guard = { kind: 'http', url: 'http://127.0.0.1:9/', onUnavailable: 'pass', ...settings };
    return buildProxy(t, [fake], { prompt: null, files: { empty: '' }, more: { guard } });
  };
  await t.rejects(at({ onUnavailable: undefined }), { code: 'config_invalid', message: /onUnavailable/ }, 'no default');
  await t.rejects(at({ url: 'http://me:secret@127.0.0.1/' }), { code: 'config_invalid' });
  await t.rejects(at({ apiKey: { file: './missing' } }), { code: 'file_unreadable' });
  await t.rejects(at({ apiKey: { file: './empty' } }), { code: 'config_invalid' });
});
