import t from 'tap';
import { buildProxy, question } from '../helpers/build-proxy.ts';
import { beginEvents, chunkEvent, doneEvent, lastChunk, startFakeVllm, usageEvent } from '../helpers/fake-vllm.ts';

const stream = { ...question, stream: true };
/** Comments, CRLF, an event of two data lines, a field that nobody knows, letters of two to four bytes. */
const odd = [
  ': a comment\n\n',
  chunkEvent('Grüße, 世界 \u{1F600}').replaceAll('\n', '\r\n'),
  'event: message\nid: 7\ndata: {"choices":\ndata: []}\n\n',
  'retry: 5\n\n',
  chunkEvent(' again'),
  lastChunk,
  doneEvent,
].join('');

t.test('a stream comes back byte for byte, wherever it is cut', async (t) => {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake], { prompt: null });
  const bytes = Buffer.from(odd);
  for (const size of [1, 2, 3, 7, 64, bytes.length]) {
    fake.script = async (response) => {
      beginEvents(response).socket?.setNoDelay(true);
      for (let at = 0; at < bytes.length; at += size) {
        response.write(bytes.subarray(at, at + size));
        await new Promise(setImmediate);
      }
      response.end();
    };
    const answer = await proxy.post(stream);
    t.equal(answer.text, odd, `cut into ${size}`);
    t.match(answer.headers.get('content-type'), /^text\/event-stream/);
  }
  t.match(proxy.decisions().at(-1), { decision: 'complied', finishReason: 'stop' });
});

t.test(
  'the token counts that only the gateway asked for are left out; those that the client asked for stay',
  async (t) => {
    const fake = await startFakeVllm(t);
    const proxy = await buildProxy(t, [fake], { prompt: null });
    const events = [chunkEvent('Hi'), lastChunk, usageEvent, doneEvent];
    fake.script = (response) => beginEvents(response).end(events.join(''));
    t.equal((await proxy.post(stream)).text, events.filter((event) => event !== usageEvent).join(''));
    t.match(JSON.parse(String(fake.received.at(-1)?.body)), { stream_options: { include_usage: true } });
    const asking = { ...stream, stream_options: { include_usage: true } };
    t.equal((await proxy.post(asking)).text, events.join(''));
    t.match(proxy.decisions(), [{ promptTokens: 7, completionTokens: 3 }, { promptTokens: 7 }]);
  },
);

t.test('a whole answer comes back byte for byte', async (t) => {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake], { prompt: null });
  const body =
    '{ "choices":[{"index":0,"message":{"content":"Gr\\u00fc\u00df dich"},"finish_reason":"stop","n":123456789012345678901}],\n"usage":null }\n';
  fake.script = (response) => {
    response.writeHead(200, {
      'content-type': 'application/json; charset=utf-8',
      'x-request-id': 'its',
      server: 'uvicorn',
    });
    response.end(body);
  };
  const answer = await proxy.post(question);
  t.equal(answer.text, body);
  t.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8');
  t.equal(answer.headers.get('content-length'), String(Buffer.byteLength(body)));
  t.equal(answer.headers.get('x-upstream-request-id'), 'its');
  t.not(answer.headers.get('x-request-id'), 'its');
  t.notOk(answer.headers.has('server'));
  t.match(proxy.decisions(), [{ decision: 'complied', finishReason: 'stop' }]);
});

t.test('headers about the connection go neither way, those about limits do', async (t) => {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake], { prompt: null });
  fake.script = (response) => {
    response.writeHead(200, {
      'content-type': 'application/json',
      connection: 'close, x-hop',
      'x-hop': '1',
      'keep-alive': 'timeout=5',
      'proxy-authenticate': 'Basic',
      'set-cookie': 'a=b',
      'x-ratelimit-remaining-requests': '9',
      'retry-after': '3',
    });
    response.end('{"choices":[]}');
  };
  const hop = { te: 'trailers', 'proxy-authorization': 'Basic x', 'x-forwarded-for': '10.0.0.1' };
  const { headers } = await proxy.post(question, { headers: hop });
  for (const name of ['x-hop', 'proxy-authenticate', 'set-cookie']) t.notOk(headers.has(name), name);
  t.not(headers.get('keep-alive'), 'timeout=5');
  t.equal(headers.get('x-ratelimit-remaining-requests'), '9');
  t.equal(headers.get('retry-after'), '3');
  for (const name of [...Object.keys(hop), 'transfer-encoding']) t.notOk(fake.received[0]?.headers[name], name);
});
