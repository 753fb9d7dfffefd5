import type { ServerResponse } from 'node:http';
import t, { type Test } from 'tap';
import { buildProxy, question } from '../../helpers/build-proxy.ts';
import { beginEvents, chunkEvent, doneEvent, lastChunk, startFakeVllm } from '../../helpers/fake-vllm.ts';

const stream = { ...question, stream: true };
const said = chunkEvent('I will');

async function answerTo(t: Test, script: (response: ServerResponse) => void, body: object = stream) {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake], { prompt: null });
  fake.script = script;
  const answer = await proxy.post(body);
  await proxy.outstanding(0);
  return { answer, decisions: proxy.decisions(), logs: JSON.stringify(proxy.logs) };
}

/** The events behind the one that was sent well. */
function rest(text: string): string {
  if (!text.startsWith(said)) throw new Error(`what came first is lost: ${text.slice(0, 300)}`);
  return text.slice(said.length);
}

const endings: [name: string, end: (response: ServerResponse) => void, code: string][] = [
  ['a reset', (response) => response.socket?.resetAndDestroy(), 'upstream_broken'],
  ['an end without [DONE]', (response) => response.end(), 'upstream_broken'],
  ['half an event', (response) => response.end('data: {"choices":[{"ind'), 'upstream_broken'],
  ['half of [DONE]', (response) => response.end('data: [DONE]\n'), 'upstream_broken'],
  ['garbage', (response) => response.end('data: so sorry\n\n'), 'upstream_invalid'],
  ['ten megabytes in one line', (response) => response.end(`data: ${'x'.repeat(10 * 2 ** 20)}`), 'upstream_invalid'],
];

for (const [name, end, code] of endings) {
  t.test(`a stream that ends with ${name} ends with an error event and without [DONE]`, async (t) => {
    const { answer, decisions, logs } = await answerTo(t, (response) => {
      beginEvents(response).write(said, () => setTimeout(() => end(response), 20));
    });
    t.equal(answer.status, 200);
    const events = rest(answer.text).split('\n\n');
    t.equal(events.length, 2, 'one event, and what stands behind its blank line');
    t.match(JSON.parse(events[0]?.replace(/^data: /, '') ?? ''), {
      error: { code, type: 'server_error', param: null },
    });
    t.match(decisions, [{ decision: 'unknown', finishReason: null }]);
    t.notMatch(logs, /I will|so sorry/, 'no word of the answer in the log');
  });
}

t.test('what came well before garbage in the same packet is handed on', async (t) => {
  const { answer } = await answerTo(t, (response) => beginEvents(response).end(`${said}data: so sorry\n\n`));
  t.match(JSON.parse(rest(answer.text).replace(/^data: /, '')), { error: { code: 'upstream_invalid' } });
});

t.test('an answer that was complete stays complete, however the connection ends', async (t) => {
  const whole = said + lastChunk + doneEvent;
  const { answer, decisions } = await answerTo(t, (response) => {
    beginEvents(response).write(whole, () => setTimeout(() => response.socket?.resetAndDestroy(), 20));
  });
  t.equal(answer.text, whole);
  t.match(decisions, [{ decision: 'complied', finishReason: 'stop' }]);
});

t.test('an error of the server’s own in the stream goes on as it came, and the decision is unknown', async (t) => {
  const error =
    'data: {"error":{"message":"EngineCore died","type":"InternalServerError","param":null,"code":500}}\n\n';
  const { answer, decisions } = await answerTo(t, (response) => beginEvents(response).end(said + error + doneEvent));
  t.equal(rest(answer.text), error + doneEvent);
  t.match(decisions, [{ decision: 'unknown', finishReason: null }]);
});

t.test('a whole answer that breaks off, or is none', async (t) => {
  const cases: [name: string, script: (response: ServerResponse) => void, code: string][] = [
    [
      'a reset in the middle',
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 });
        response.write('{"choices":', () => response.socket?.resetAndDestroy());
      },
      'upstream_broken',
    ],
    ['no JSON', (response) => response.end('<html>I will</html>'), 'upstream_invalid'],
    ['nothing', (response) => response.end(), 'upstream_invalid'],
    [
      'a redirection',
      (response) =>
        response.writeHead(302, { location: 'http://127.0.0.1:1/', 'content-type': 'application/json' }).end('{}'),
      'upstream_invalid',
    ],
  ];
  for (const [name, script, code] of cases) {
    await t.test(name, async (t) => {
      const { answer, logs } = await answerTo(t, script, question);
      t.equal(answer.status, 502);
      t.match(answer.json(), { error: { code, type: 'server_error' } });
      t.notMatch(logs, /I will/);
    });
  }
});
