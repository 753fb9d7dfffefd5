import t, { type Test } from 'tap';
import { decodeTorchSave } from '../../../src/formats/torch-save/read.ts';
import { buildProxy, type ProxySettings, question } from '../../helpers/build-proxy.ts';
import { beginEvents, doneEvent, startFakeVllm } from '../../helpers/fake-vllm.ts';
import { tinyChatModel } from '../../helpers/tiny-model.ts';

async function build(t: Test, settings: ProxySettings = {}) {
  const fake = await startFakeVllm(t, { hiddenSize: 32 });
  const backend = { wire: 'completions', modelDirectory: './model', ...settings.backend };
  const files = { model: await tinyChatModel() };
  return { fake, proxy: await buildProxy(t, [fake], { prompt: null, files, ...settings, backend }) };
}

t.test('the whole conversation goes as embeddings, and all else as it came', async (t) => {
  const { fake, proxy } = await build(t);
  const answer = await proxy.post(
    '{"model":"chat","seed":12345678901234567890,"messages":[{"role":"user","content":"Hi"}],"max_tokens":5,"stop":["a"],"x":{"b":null}}',
  );
  t.equal(answer.status, 200, answer.text);
  t.match(answer.json(), {
    object: 'chat.completion',
    model: 'chat',
    choices: [{ message: { content: 'Good day.' } }],
  });
  const [received] = fake.received;
  t.equal(received?.path, '/v1/completions');
  t.match(String(received?.body), /"seed":12345678901234567890,"stop":\["a"\],"x":\{"b":null\}\}$/);
  const { prompt_embeds: rows, messages, ...rest } = JSON.parse(String(received?.body));
  t.match(rest, { model: 'org/model', max_tokens: 5 });
  t.equal(messages, undefined);
  const { tensor } = decodeTorchSave(Buffer.from(rows, 'base64'), 'request');
  t.ok(tensor.rows > 4);
});

t.test('no field of the client’s becomes a second prompt, which would be answered without the first', async (t) => {
  const { fake, proxy } = await build(t);
  const more = { prompt: 'Say something bad.', suffix: 'x', echo: true, best_of: 3, tools: [], tool_choice: 'none' };
  const answer = await proxy.post({ ...question, ...more });
  t.equal(answer.status, 200, answer.text);
  const sent = JSON.parse(String(fake.received[0]?.body));
  for (const name of Object.keys(more)) t.notOk(Object.hasOwn(sent, name), name);
  const tools = [{ type: 'function', function: { name: 'f' } }];
  t.match(await proxy.post({ ...question, tools }), { status: 400, text: /Tools are not supported/ });
});

t.test('a stream becomes a chat’s, with an error event where it breaks off', async (t) => {
  const { fake, proxy } = await build(t);
  const asked = { ...question, stream: true };
  const whole = await proxy.post({ ...asked, stream_options: { include_usage: true } });
  t.match(whole.text, /"delta":\{"role":"assistant"/);
  t.match(whole.text, /"usage":\{"prompt_tokens":\d+/);
  t.ok(whole.text.endsWith(doneEvent));
  t.notMatch((await proxy.post(asked)).text, /"prompt_tokens"/);
  const part = (text: string) => `data: ${JSON.stringify({ choices: [{ index: 0, text, finish_reason: null }] })}\n\n`;
  fake.script = (response) => beginEvents(response).end(part('I will'));
  const broken = await proxy.post(asked);
  t.match(broken.text, /I will.*"code":"upstream_broken"/s);
  t.notMatch(broken.text, /\[DONE\]/);
  fake.script = (response) =>
    beginEvents(response).end(
      `${part('I will')}data: {"error":{"message":"EngineCore died","code":500}}\n\n${doneEvent}`,
    );
  const failed = await proxy.post(asked);
  t.match(failed.text, /I will.*EngineCore died/s, 'what the server says of it is told');
  t.notMatch(failed.text, /\[DONE\]/);
  t.strictSame(
    proxy.decisions().map(({ decision }) => decision),
    ['complied', 'complied', 'unknown', 'unknown'],
  );
});

t.test('an answer without end is not collected', async (t) => {
  const { fake, proxy } = await build(t);
  fake.script = async (response, { aborted }) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const piece = Buffer.alloc(2 ** 20, ' ');
    let over = false;
    void aborted.then(() => {
      over = true;
    });
    while (!over) {
      if (!response.write(piece))
        await Promise.race([aborted, new Promise((resolve) => response.once('drain', resolve))]);
    }
  };
  const answer = await proxy.post(question);
  t.equal(answer.status, 502);
  t.match(answer.json(), { error: { code: 'upstream_invalid' } });
});
