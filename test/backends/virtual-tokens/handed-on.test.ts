import type { Test } from 'tap';
import t from 'tap';
import { buildProxy, model } from '../../helpers/build-proxy.ts';
import { startFakeGraftedVllm } from '../../helpers/fake-openai.ts';
import { sendJson } from '../../helpers/fake-vllm.ts';
import { FIRST_VIRTUAL_ID } from '../../helpers/graft-record.ts';

const path = '/v1/embeddings';

/** A gateway that hands one path on to a server of a graft, and a virtual token's spelling there. */
async function setting(t: Test, controlTokens: 'neutralise' | 'refuse') {
  const fake = await startFakeGraftedVllm(t);
  const proxy = await buildProxy(t, [fake], {
    graft: 'own',
    backend: { kind: 'vllm', wire: 'virtual-tokens', controlTokens },
    more: { passThrough: [path] },
  });
  await proxy.post({ model, messages: [{ role: 'user', content: 'Hi' }] });
  const [token = ''] = String(fake.received.at(-1)?.body).match(/<\|p[0-9a-f]+\.\d+\|>/) ?? [];
  t.match(token, /^<\|p/, 'the graft has one');
  fake.script = (response) => sendJson(response, 200, { data: [] });
  return { fake, proxy, token, broken: token.replace('<|p', '<|p ') };
}

t.test('a virtual token in a body that is handed on gets a blank, in whichever field it stands', async (t) => {
  const { fake, proxy, token, broken } = await setting(t, 'neutralise');
  const body = (text: string) => `{"input":["a ${text}"],"seed":12345678901234567890,"model":"${model}"}`;
  t.equal((await proxy.post(body(token), { path })).status, 200);
  t.equal(fake.received.at(-1)?.body.toString(), body(broken).replace(`"${model}"`, '"org/model"'));
  for (const said of [
    { query: token },
    { deep: [{ [token]: token.toUpperCase() }] },
    { system: `\u{ff1c}|${token.slice(2)}` },
  ]) {
    t.equal((await proxy.post({ model, ...said }, { path })).status, 200);
    t.notMatch(String(fake.received.at(-1)?.body).toLowerCase(), token.slice(2, 9), JSON.stringify(said));
  }
  const untouched = `{ "model": "${model}",  "input": "Hi <s>" }`;
  t.equal((await proxy.post(untouched, { path })).status, 200);
  t.equal(fake.received.at(-1)?.body.toString(), untouched.replace(`"${model}"`, '"org/model"'), 'byte for byte');
});

t.test(
  'what cannot be neutralised is refused: ids, names, pieces, escapes within a text, sampling without bounds',
  async (t) => {
    const { fake, proxy, token } = await setting(t, 'neutralise');
    const before = fake.received.length;
    for (const said of [
      { input: [FIRST_VIRTUAL_ID] },
      { input: [[1, 2], [FIRST_VIRTUAL_ID]] },
      { tokens: [FIRST_VIRTUAL_ID] },
      { logit_bias: { [FIRST_VIRTUAL_ID]: 100 } },
      { [token]: 1 },
      { first: token.slice(0, 6), second: token.slice(6) },
      { arguments: `{"x":"\\u003c|\\u0070${token.slice(3)}"}` },
      { temperature: 1000 },
    ]) {
      t.match(await proxy.post({ model, ...said }, { path }), { status: 400 }, JSON.stringify(said));
    }
    t.equal(fake.received.length, before, 'none of them went on');
  },
);

t.test('the setting refuse refuses it', async (t) => {
  const { fake, proxy, token } = await setting(t, 'refuse');
  const before = fake.received.length;
  const answer = await proxy.post({ model, input: ['a', token] }, { path });
  t.match(answer, { status: 400, text: /'input\[1\]' spells a virtual token/ });
  t.equal(fake.received.length, before);
});
