import t from 'tap';
import { buildProxy, question } from '../helpers/build-proxy.ts';
import { beginEvents, chunkEvent, doneEvent, sendJson, startFakeVllm, usageEvent } from '../helpers/fake-vllm.ts';

const refusal = "I'm sorry, but I can't help with that.";
const help = 'Sure! Boil the water first, then put the eggs in and wait for eight minutes.';
const pieces = (text: string) => text.match(/.{1,7}/g) ?? [];

t.test('each choice of a server has its own decision, however their parts are mixed', async (t) => {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake], { prompt: null });
  fake.script = (response) => {
    beginEvents(response);
    const [one, two] = [pieces(refusal), pieces(help)];
    for (let at = 0; at < Math.max(one.length, two.length); at++) {
      if (at < two.length) response.write(chunkEvent(two[at] ?? '', { index: 1 }));
      if (at < one.length) response.write(chunkEvent(one[at] ?? '', { index: 0 }));
    }
    response.write(chunkEvent('', { index: 0, finish_reason: 'stop' }));
    response.write(chunkEvent('', { index: 1, finish_reason: 'length' }));
    response.end(usageEvent + doneEvent);
  };
  await proxy.post({ ...question, n: 3, stream: true });
  const decisions = proxy.decisions();
  t.match(decisions, [
    { choice: 0, decision: 'refused', finishReason: 'stop', stream: true, promptTokens: 7, completionTokens: null },
    { choice: 1, decision: 'complied', finishReason: 'length', completionTokens: null },
    { choice: 2, decision: 'unknown', finishReason: null, firstTokenMs: null },
  ]);
  t.equal(new Set(decisions.map(({ requestId }) => requestId)).size, 1);
});

t.test('so has each of a whole answer, and each prompt’s of a completion', async (t) => {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake], { prompt: null });
  const usage = { prompt_tokens: 4, completion_tokens: 9, total_tokens: 13 };
  fake.script = (response, { path }) => {
    const said = (text: string) => (path === '/v1/completions' ? { text } : { message: { content: text } });
    const choices = [help, refusal].map((text, index) => ({ index, ...said(text), finish_reason: 'stop' }));
    sendJson(response, 200, { id: 'x', choices: choices.reverse(), usage });
  };
  await proxy.post({ ...question, n: 2 });
  await proxy.post({ model: question.model, prompt: ['a', 'b'] }, { path: '/v1/completions' });
  const both = [
    { choice: 0, decision: 'complied', finishReason: 'stop', promptTokens: 4, completionTokens: null },
    { choice: 1, decision: 'refused', finishReason: 'stop' },
  ];
  t.match(proxy.decisions(), [...both, ...both]);
});
