import t from 'tap';
import { decodeTorchSave } from '../../../src/formats/torch-save/read.ts';
import { buildProxy, question } from '../../helpers/build-proxy.ts';
import { startFakeVllm } from '../../helpers/fake-vllm.ts';

t.test('the server gets the client’s own bytes with the part in front, and nothing else of its', async (t) => {
  const fake = await startFakeVllm(t, { apiKey: 'server-key' });
  process.env['PROXY_TEST_KEY'] = 'server-key';
  const proxy = await buildProxy(t, [fake], { backend: { apiKey: { env: 'PROXY_TEST_KEY' } } });
  const text =
    '{ "seed": 12345678901234567890123,\n "messages":[ {"content":"Gr\\u00fc\u00df dich \u{1F600}","x":[1.0,-0.0,1e400],"role":"user"} ],"unknown":{"b":1,"a":null}, "model" :"chat","top_logprobs":9007199254740993 }';
  const answer = await proxy.post(text, {
    headers: {
      authorization: 'Bearer client-key',
      'x-request-id': 'mine-1',
      cookie: 'secret=1',
      'x-vllm-priority': '-10',
      'accept-encoding': 'gzip',
    },
  });
  t.equal(answer.status, 200, answer.text);
  const received = fake.received.at(-1);
  if (received === undefined) throw new Error('nothing came');
  const body = received.body.toString();
  const part = /\{"type":"prompt_embeds","data":"([A-Za-z0-9+/=]+)"\}/.exec(body);
  const expected = text
    .replace('"messages":[', `"messages":[{"role":"system","content":[${part?.[0]}]},`)
    .replace('"chat"', '"org/model"');
  t.equal(body, expected);
  const { tensor } = decodeTorchSave(Buffer.from(part?.[1] ?? '', 'base64'), 'request');
  t.match(tensor, { rows: 3, columns: 4, dtype: 'F32' });
  t.equal(new Float32Array(new Uint8Array(tensor.bytes).buffer).at(-1), 11 / 8 - 3);
  const { host, ...headers } = received.headers;
  t.strictSame(headers, {
    authorization: 'Bearer server-key',
    'content-type': 'application/json',
    'content-length': String(received.body.length),
    'x-request-id': 'mine-1',
    connection: 'keep-alive',
  });
  t.equal(`http://${host}`, fake.origin);
  t.equal(answer.headers.get('x-request-id'), 'mine-1');
  t.equal(answer.headers.get('x-preamble-prompt'), 'test/kind@1.0.0');
});

t.test('without a key for the servers none is sent, the client’s neither', async (t) => {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake], { prompt: null });
  const text = JSON.stringify(question);
  await proxy.post(text, { headers: { authorization: 'Bearer client-key' } });
  t.equal(fake.received[0]?.headers.authorization, undefined);
  t.equal(
    fake.received[0]?.body.toString(),
    text.replace('"chat"', '"org/model"'),
    'and without a prompt nothing more',
  );
});

t.test('a prompt of a megabyte goes along with each of many requests at once', async (t) => {
  const fake = await startFakeVllm(t, { hiddenSize: 4096 });
  const proxy = await buildProxy(t, [fake], { rows: 64, hiddenSize: 4096 });
  const answers = await Promise.all(Array.from({ length: 20 }, () => proxy.post(question)));
  t.ok(answers.every(({ status }) => status === 200));
  const bodies = fake.received.slice(-20).map(({ body }) => body);
  t.ok(bodies.every((body) => body.length > 64 * 4096 * 4 && body.equals(bodies[0] ?? body)));
});

t.test('a raw completion without a prompt goes as it came', async (t) => {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake], { prompt: null });
  const text = '{"prompt":"<|im_start|>user\\nHi","model":"chat","echo":false,"seed":18446744073709551616}';
  const answer = await proxy.post(text, { path: '/v1/completions' });
  t.equal(answer.status, 200, answer.text);
  t.equal(fake.received[0]?.body.toString(), text.replace('"chat"', '"org/model"'));
  t.equal(fake.received[0]?.path, '/v1/completions');
});
