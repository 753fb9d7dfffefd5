import t, { type Test } from 'tap';
import type { GuardPolicy } from '../../src/guard/guard.ts';
import { build, modelName, postJson, until } from '../helpers/build.ts';
import { createFakeChat } from '../helpers/fake-chat.ts';
import { word } from '../helpers/fake-guard.ts';
import { replacement, type WatchedGuard, wordGuard } from '../helpers/guards.ts';
import { createMemoryResponseStore } from '../helpers/memory-response-store.ts';
import { scriptedEngine } from '../helpers/scripted-engine.ts';
import { clientOf, tenantsByKey } from '../helpers/tenants.ts';
import { tinyChatModel } from '../helpers/tiny-model.ts';

const messages = [{ role: 'user' as const, content: 'Hi.' }];
const tenants = tenantsByKey({ strict: { mode: 'enforce' }, watched: {} });
const deltas = () => [{ content: 'Take' }, { content: ` the ${word}` }, { content: ' and run.' }];

async function start(t: Test, guard: WatchedGuard, options: { relayed?: boolean; content?: boolean } = {}) {
  const backend = createFakeChat({ deltas, relayed: options.relayed ?? true });
  const built = await build(t, {
    backend,
    guard: guard.policy,
    tenants,
    responses: createMemoryResponseStore(),
    logContent: options.content ?? false,
  });
  const post = async (key: string, path: string, body: object) =>
    (
      await postJson(`${built.origin}${path}`, { model: modelName, ...body }, { authorization: `Bearer ${key}` })
    ).text();
  return { ...built, backend, post };
}

/** Of an event stream. */
const events = (text: string): object[] =>
  [...text.matchAll(/^data: (\{.*)$/gm)].map(([, data = '']) => JSON.parse(data));

for (const relayed of [true, false]) {
  const kind = relayed ? 'a server' : 'the embedded model';
  t.test(`enforce: an answer of ${kind} is replaced before the client has it`, async (t) => {
    const { post, decisions } = await start(t, wordGuard(), { relayed });
    const text = await post('strict', '/v1/chat/completions', { messages });
    t.notMatch(text, word);
    t.match(JSON.parse(text), {
      object: 'chat.completion',
      choices: [{ message: { role: 'assistant', content: replacement }, finish_reason: 'content_filter' }],
      usage: { prompt_tokens: 11, completion_tokens: 5 },
    });
    t.match(decisions(), [
      {
        mode: 'enforce',
        decision: 'filtered',
        finishReason: 'content_filter',
        promptTokens: 11,
        guard: { name: 'word', action: 'replaced', reason: 'violence' },
      },
    ]);
  });

  t.test(`enforce: a stream of ${kind} is cut, and the model is asked no further`, async (t) => {
    const { post, decisions, backend } = await start(t, wordGuard(), { relayed });
    const text = await post('strict', '/v1/chat/completions', { messages, stream: true });
    t.notMatch(text, word);
    t.match(text, /Take/);
    t.match(events(text).at(-1), {
      choices: [{ delta: { content: `\n\n${replacement}` }, finish_reason: 'content_filter' }],
    });
    t.ok(text.endsWith('data: [DONE]\n\n'));
    t.equal(backend.calls[0]?.signal.aborted, true);
    t.match(decisions(), [{ decision: 'filtered', finishReason: 'content_filter', guard: { action: 'replaced' } }]);
  });

  t.test(`enforce: a response of ${kind} is cut`, async (t) => {
    const { post, decisions, origin } = await start(t, wordGuard(), { relayed });
    const whole = JSON.parse(await post('strict', '/v1/responses', { input: 'Hi.' }));
    t.match(whole, { status: 'incomplete', incomplete_details: { reason: 'content_filter' } });
    t.match(whole.output, [{ type: 'message', content: [{ text: replacement }] }]);
    const kept = await fetch(`${origin}/v1/responses/${whole.id}`, { headers: { authorization: 'Bearer strict' } });
    t.notMatch(await kept.text(), word, 'nor is it kept');
    const text = await post('strict', '/v1/responses', { input: 'Hi.', stream: true });
    t.notMatch(text, word);
    t.match(events(text).at(-1), {
      type: 'response.incomplete',
      response: { incomplete_details: { reason: 'content_filter' } },
    });
    t.match(decisions(), [{ guard: { action: 'replaced' } }, { guard: { action: 'replaced' } }]);
  });
}

t.test('monitor: nothing changes, and the decision tells what would have been done', async (t) => {
  const slow: Partial<GuardPolicy> = { holdsBack: true };
  const guard = wordGuard(slow, async (text) => {
    await new Promise(setImmediate);
    return text.includes(word) ? { action: 'replace', reason: 'violence' } : { action: 'pass' };
  });
  const { post, decisions } = await start(t, guard);
  const whole = await post('watched', '/v1/chat/completions', { messages });
  t.match(whole, `Take the ${word} and run.`);
  const stream = await post('watched', '/v1/chat/completions', { messages, stream: true });
  t.match(stream, word);
  t.match(stream, '"finish_reason":"stop"');
  await post('watched', '/v1/responses', { input: 'Hi.' });
  await until(() => decisions().length === 3);
  for (const decision of decisions()) {
    t.match(decision, {
      mode: 'monitor',
      decision: 'complied',
      finishReason: 'stop',
      guard: { name: 'word', action: 'would-replace', reason: 'violence' },
    });
  }
});

t.test('the guard is told whose answer it judges', async (t) => {
  const guard = wordGuard();
  const { post } = await start(t, guard);
  await post('strict', '/v1/chat/completions', { messages });
  t.match(guard.choices[0]?.answer, {
    requestId: /^req_/,
    tenant: 'strict',
    model: modelName,
    prompt: 'none',
    choice: 0,
  });
});

t.test('a guard that is away: as the settings say, and the decision says so', async (t) => {
  for (const [onUnavailable, action] of [
    ['pass', 'passed'],
    ['replace', 'replaced'],
  ] as const) {
    const guard = wordGuard({ onUnavailable }, () => Promise.reject(new Error('away')));
    const { post, decisions } = await start(t, guard);
    for (const stream of [false, true]) {
      const text = await post('strict', '/v1/chat/completions', { messages, stream });
      t.equal(text.includes(replacement), action === 'replaced');
      t.match(decisions().at(-1), { guard: { action, reason: 'unavailable' } });
    }
    t.ok(guard.faults.length > 0);
  }
});

t.test('no word of an answer that was cut is in the log', async (t) => {
  const { post, logs } = await start(t, wordGuard());
  for (const stream of [false, true]) await post('strict', '/v1/chat/completions', { messages, stream });
  t.notMatch(JSON.stringify(logs), word);
});

t.test('without a guard enforce changes nothing', async (t) => {
  const { origin } = await build(t, { backend: createFakeChat({ deltas }), tenants });
  const { choices } = await clientOf(origin, 'strict').chat.completions.create({ model: modelName, messages });
  t.match(choices, [{ message: { content: `Take the ${word} and run.` } }]);
});

t.test('several choices and several prompts: each is judged by itself', async (t) => {
  // Says "Good day to you." in each choice.
  const engine = scriptedEngine();
  const directory = t.testdir(await tinyChatModel());
  const guard = wordGuard({}, (_, ended, choice) =>
    ended && choice === 1 ? { action: 'replace', reason: 'second' } : { action: 'pass' },
  );
  const { origin, decisions } = await build(t, { engine, directory, tenants, guard: guard.policy });
  const client = clientOf(origin, 'strict');
  const chat = await client.chat.completions.create({ model: modelName, messages, n: 3 });
  t.match(
    chat.choices.map(({ message, finish_reason }) => [message.content, finish_reason]),
    [
      ['Good day to you.', 'stop'],
      [replacement, 'content_filter'],
      ['Good day to you.', 'stop'],
    ],
  );
  const texts = await client.completions.create({ model: modelName, prompt: ['a', 'b'] });
  t.match(
    texts.choices.map(({ text, finish_reason }) => [text, finish_reason]),
    [
      ['Good day to you.', 'stop'],
      [replacement, 'content_filter'],
    ],
  );
  const streamed = new Map<number, string>();
  for await (const { choices } of await client.completions.create({
    model: modelName,
    prompt: 'a',
    n: 2,
    stream: true,
  })) {
    for (const { index, text, finish_reason } of choices) {
      streamed.set(index, `${streamed.get(index) ?? ''}${text}${finish_reason ?? ''}`);
    }
  }
  t.equal(streamed.get(0), 'Good day to you.stop');
  t.equal(streamed.get(1), `Good day to you.\n\n${replacement}content_filter`);
  t.match(
    decisions().map(({ guard: found }) => found),
    [{ action: 'passed' }, { action: 'replaced', reason: 'second' }, { action: 'passed' }, {}, {}, {}, {}],
  );
});
