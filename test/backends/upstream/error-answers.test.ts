import type { ServerResponse } from 'node:http';
import t, { type Test } from 'tap';
import { buildProxy, question } from '../../helpers/build-proxy.ts';
import { type Received, sendJson, sendText, startFakeVllm } from '../../helpers/fake-vllm.ts';

const asked = { ...question, messages: [{ role: 'user', content: 'zqxjkv' }] };
const fault = (message: string, more: object = {}) => ({
  error: { message, type: 'BadRequestError', param: null, code: 400, ...more },
});

async function answerTo(t: Test, script: (response: ServerResponse, received: Received) => void, body: object = asked) {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake]);
  fake.script = script;
  const answer = await proxy.post(body);
  await proxy.outstanding(0);
  return { answer, decisions: proxy.decisions(), logs: JSON.stringify(proxy.logs) };
}

t.test('errors reach the client in OpenAI’s shape with their status, a stream’s too', async (t) => {
  const cases: [name: string, script: (response: ServerResponse) => void, status: number, error: object][] = [
    [
      '400',
      (response) => sendJson(response, 400, fault('max_tokens is too large', { param: 'max_tokens' })),
      400,
      { message: 'max_tokens is too large', type: 'BadRequestError', param: 'max_tokens', code: null },
    ],
    [
      'vLLM’s older form',
      (response) => sendJson(response, 400, { object: 'error', message: 'No.', type: 'BadRequestError', code: 400 }),
      400,
      { message: 'No.', type: 'BadRequestError', param: null, code: null },
    ],
    [
      '401, which vLLM says so',
      (response) => sendJson(response, 401, { error: 'Unauthorized' }),
      401,
      { message: 'Unauthorized', type: 'invalid_request_error', param: null, code: null },
    ],
    [
      '404 of its framework',
      (response) => sendJson(response, 404, { detail: 'Not Found' }),
      404,
      { message: 'Not Found', type: 'invalid_request_error', param: null, code: null },
    ],
    [
      'an HTML page of a proxy between',
      (response) => sendText(response, 502, '<html><h1>502</h1>nginx</html>', { 'content-type': 'text/html' }),
      502,
      { message: 'The model server answered with status 502.', type: 'server_error', param: null, code: null },
    ],
    [
      'a list of faults',
      (response) => sendJson(response, 422, { detail: [{ loc: ['body'], msg: 'wrong', input: 'zqxjkv' }] }),
      422,
      { message: 'The model server answered with status 422.', type: 'invalid_request_error', param: null, code: null },
    ],
  ];
  for (const [name, script, status, error] of cases) {
    for (const stream of [false, true]) {
      await t.test(`${name}${stream ? ', stream' : ''}`, async (t) => {
        const { answer, decisions, logs } = await answerTo(t, script, { ...asked, stream });
        t.equal(answer.status, status);
        t.strictSame(answer.json(), { error });
        t.match(answer.headers.get('content-type'), /^application\/json/);
        t.equal(decisions.length, 0, 'nothing of an answer was begun');
        t.notMatch(logs, /zqxjkv/);
      });
    }
  }
});

t.test('limits of the server’s own keep their headers', async (t) => {
  const { answer } = await answerTo(t, (response) =>
    sendJson(response, 429, fault('Slow down.', { type: 'rate_limit_error', code: 'rate_limit_exceeded' }), {
      'retry-after': '17',
      'retry-after-ms': '17000',
      'x-should-retry': 'true',
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '17s',
      'www-authenticate': 'Bearer',
      server: 'uvicorn',
    }),
  );
  t.equal(answer.status, 429);
  t.match(answer.json(), { error: { message: 'Slow down.', type: 'rate_limit_error', code: 'rate_limit_exceeded' } });
  const kept = ['retry-after', 'retry-after-ms', 'x-should-retry', 'x-ratelimit-remaining-tokens'];
  t.strictSame(
    kept.map((name) => answer.headers.get(name)),
    ['17', '17000', 'true', '0'],
  );
  t.equal(answer.headers.get('x-ratelimit-reset-tokens'), '17s');
  t.notOk(answer.headers.has('server'));
});

t.test('no stack trace, no rows of the prompt and no request that a server quotes gets out', async (t) => {
  const trace =
    'Traceback (most recent call last):\n  File "/opt/vllm/engine.py", line 7, in run\n    boom()\nValueError: zqxjkv';
  const rows = ({ body }: Received) => /"data":"([^"]+)"/.exec(body.toString())?.[1] ?? '';
  const cases: [name: string, script: (response: ServerResponse, received: Received) => void][] = [
    ['as text', (response) => sendText(response, 500, trace)],
    ['as a message', (response) => sendJson(response, 500, fault(trace))],
    ['on one line', (response) => sendJson(response, 500, fault(`boom: ${trace.replaceAll('\n', ' ')}`))],
    ['as the detail', (response) => sendJson(response, 500, { detail: trace })],
    [
      'the rows',
      (response, received) =>
        sendJson(
          response,
          400,
          fault(`1 validation error: {'input': '${rows(received).slice(0, 200)}...[truncated]'}`),
        ),
    ],
    ['all of them, in the type', (response, received) => sendJson(response, 400, fault('x', { type: rows(received) }))],
  ];
  for (const [name, script] of cases) {
    await t.test(name, async (t) => {
      const { answer, logs } = await answerTo(t, script);
      t.ok(answer.status >= 400);
      t.type(answer.json().error.message, 'string');
      t.notMatch(answer.text, /\/opt\/vllm|zqxjkv|UEsDB/);
      t.notMatch(logs, /\/opt\/vllm|zqxjkv|UEsDB/);
    });
  }
});

t.test('a message as long as a book is cut', async (t) => {
  const { answer } = await answerTo(t, (response) => sendJson(response, 400, fault('No. '.repeat(10_000))));
  t.ok(answer.json().error.message.length < 600);
  const endless = await answerTo(t, (response) => sendText(response, 500, 'x'.repeat(5 * 2 ** 20)));
  t.equal(endless.answer.status, 500);
});

t.test('what a server says to a client’s request is the client’s to read, and stands in no log', async (t) => {
  const { answer, logs } = await answerTo(t, (response) => sendJson(response, 400, fault("Invalid image 'zqxjkv'.")));
  t.match(answer.json(), { error: { message: "Invalid image 'zqxjkv'." } });
  t.notMatch(logs, /zqxjkv/);
});
