import t from 'tap';
import { type CutOptions, cutParts } from '../../src/guard/cut-parts.ts';
import type { GuardPolicy, Verdict } from '../../src/guard/guard.ts';
import { createGuarding } from '../../src/guard/guarding.ts';
import { chatShape } from '../../src/openai/answer-shape.ts';
import { readChatChunk } from '../../src/openai/read-answer.ts';
import { word } from '../helpers/fake-guard.ts';
import { replacement, wordGuard } from '../helpers/guards.ts';

const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm' };
const said = (content: string, index = 0, finish: string | null = null) => ({
  ...head,
  choices: [{ index, delta: { content }, finish_reason: finish }],
});
const last = (index = 0, finish = 'stop') => ({ ...head, choices: [{ index, delta: {}, finish_reason: finish }] });
const counts = { ...head, choices: [], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } };
const cut = (text: string, index = 0) => ({
  ...head,
  choices: [{ index, delta: { content: text }, logprobs: null, finish_reason: 'content_filter' }],
});

interface Run {
  readonly got: object[];
  readonly cuts: number[];
  /** Parts that were asked of the model. */
  readonly read: number;
  readonly over: number;
}

async function run(
  parts: readonly object[],
  policy: GuardPolicy,
  options: Partial<CutOptions> & { signal?: AbortSignal } = {},
): Promise<Run> {
  const [got, cuts]: [object[], number[]] = [[], []];
  let [read, over] = [0, 0];
  async function* source() {
    for (const part of parts) {
      read++;
      yield part;
      await new Promise(setImmediate);
    }
  }
  const signal = options.signal ?? new AbortController().signal;
  const answer = { requestId: 'r', tenant: 't', model: 'm', prompt: 'none', signal };
  const shown = cutParts(source(), {
    guarding: createGuarding(policy, answer, true),
    shape: chatShape,
    choices: 1,
    read: (value) => readChatChunk(value),
    onCut: (choice) => cuts.push(choice),
    onOver: () => over++,
    waiting: (others) => others,
    ...options,
  });
  for await (const part of shown) got.push(part);
  return { got, cuts, read, over };
}

/** Resolves after so many turns of the event loop. */
async function later(turns: number, verdict: Verdict): Promise<Verdict> {
  for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
  return verdict;
}

const PASS: Verdict = { action: 'pass' };

t.test('what passes is handed on as it is, the same objects', async (t) => {
  const parts = [{ ...said('Good'), x: 1 }, said(' day'), last(), counts];
  for (const holdsBack of [false, true]) {
    const { got, cuts, over } = await run(parts, wordGuard({ holdsBack }).policy);
    t.strictSame(got, parts);
    t.ok(got.every((part, index) => part === parts[index]));
    t.strictSame([cuts, over], [[], 0]);
  }
});

t.test('a choice is cut at the part that is rejected, and the model is read no further', async (t) => {
  const parts = [said('Take'), said(` the ${word}`), said(' and'), said(' then'), last(), counts];
  const { got, cuts, read, over } = await run(parts, wordGuard().policy);
  t.strictSame(got, [said('Take'), cut(`\n\n${replacement}`)]);
  t.strictSame([cuts, read, over], [[0], 2, 1]);
});

t.test('where nothing was sent the last part says who speaks, and nothing stands in front of the text', async (t) => {
  const { got } = await run([said(word), last()], wordGuard().policy);
  t.match(got, [
    { choices: [{ delta: { role: 'assistant', content: replacement }, finish_reason: 'content_filter' }] },
  ]);
  t.equal(got.length, 1);
});

t.test('nor where only that has been sent', async (t) => {
  const role = { ...head, choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] };
  for (const holdsBack of [false, true]) {
    const { got } = await run([role, said(word), last()], wordGuard({ holdsBack }).policy);
    t.strictSame(got, [role, cut(replacement)]);
  }
});

t.test('each choice is cut by itself', async (t) => {
  const both = { ...head, choices: [...said('A', 0).choices, ...said(word, 1).choices] };
  const parts = [both, said('B', 0), said('more', 1), last(0), last(1), counts];
  const { got, cuts, read } = await run(parts, wordGuard().policy, { choices: 2 });
  t.match(got, [
    said('A', 0),
    { choices: [{ index: 1, delta: { content: replacement }, finish_reason: 'content_filter' }] },
    said('B', 0),
    last(0),
  ]);
  t.equal(got.length, 4);
  t.strictSame([cuts, read], [[1], 4], 'then nobody reads on');
});

t.test('a verdict that comes late cuts what comes after it; the choice ends only with its last verdict', async (t) => {
  const slow = wordGuard({}, (text) =>
    later(3, text.includes(word) ? { action: 'replace', reason: 'x', text: 'No.' } : PASS),
  );
  const { got } = await run([said('Take'), said(` ${word}`), last(), counts], slow.policy);
  t.strictSame(got, [said('Take'), said(` ${word}`), cut('\n\nNo.'), counts], 'with the text of the verdict');
  t.strictSame(slow.choices[0]?.told, ['Take', ` ${word}`], 'one question at a time');
});

t.test('held back, nothing goes out that has no verdict', async (t) => {
  const slow = wordGuard({ holdsBack: true }, (text, ended) =>
    ended || text.endsWith('.') ? later(5, text.includes(word) ? { action: 'replace', reason: 'x' } : PASS) : null,
  );
  const parts = [said('One.'), said(' Two'), said(` ${word}`), said('.'), said(' Three'), last(), counts];
  const { got } = await run(parts, slow.policy);
  t.strictSame(got, [said('One.'), cut(`\n\n${replacement}`), counts]);
});

t.test('what comes behind the end of a choice is dropped', async (t) => {
  const { got } = await run([said('Hi'), last(), said(word), last()], wordGuard({ holdsBack: true }).policy);
  t.strictSame(got, [said('Hi'), last()]);
});

t.test('a choice without a finish reason is judged all the same', async (t) => {
  const atEnd = wordGuard({ holdsBack: true }, (text, ended) =>
    !ended ? null : text.includes(word) ? { action: 'replace', reason: 'x' } : PASS,
  );
  t.match((await run([said(word)], atEnd.policy)).got, [{ choices: [{ delta: { content: replacement } }] }]);
  t.strictSame((await run([said('Hi'), counts], atEnd.policy)).got, [said('Hi'), counts]);
});

t.test('a guard that fails does what the policy says', async (t) => {
  const failing = () => Promise.reject(new Error('away'));
  const throwing = () => {
    throw new Error('away');
  };
  for (const judge of [failing, throwing]) {
    const passing = wordGuard({ holdsBack: true, onUnavailable: 'pass' }, judge);
    t.strictSame((await run([said(word), last()], passing.policy)).got, [said(word), last()]);
    t.match(passing.faults, [{ message: 'away' }, { message: 'away' }]);
    const replacing = wordGuard({ holdsBack: true }, judge);
    t.match((await run([said('Hi'), last()], replacing.policy)).got, [
      { choices: [{ delta: { content: replacement } }] },
    ]);
  }
});

t.test('what was given up before its verdict is not sent', async (t) => {
  const controller = new AbortController();
  const judge = () => {
    controller.abort(new Error('too late'));
    return Promise.reject(new Error('aborted'));
  };
  const { policy, faults } = wordGuard({ holdsBack: true, onUnavailable: 'pass' }, judge);
  await t.rejects(run([said('Hi'), last()], policy, { signal: controller.signal }), { message: 'too late' });
  t.strictSame(faults, []);
});

t.test('nothing that a server adds to a part comes with the one that ends a choice', async (t) => {
  const { got } = await run([{ ...said(word), verbose: { content: word }, usage: null }, last()], wordGuard().policy);
  t.strictSame(Object.keys(got[0] ?? {}).sort(), ['choices', 'created', 'id', 'model', 'object', 'usage']);
  t.notMatch(JSON.stringify(got), word);
});

t.test('everything that a reader gets is judged', async (t) => {
  const deltas = [
    { content: word },
    { reasoning: word },
    { reasoning_content: word },
    { refusal: word },
    { function_call: { name: 'f', arguments: word } },
    { tool_calls: [{ index: 0, function: { arguments: word } }] },
    { tool_calls: [{ index: 0, type: 'custom', custom: { name: 'f', input: word } }] },
  ];
  for (const delta of deltas) {
    const parts = [{ ...head, choices: [{ index: 0, delta, finish_reason: null }] }, last()];
    const { got } = await run(parts, wordGuard().policy);
    t.notMatch(JSON.stringify(got), word, JSON.stringify(delta));
    t.match(got, [{ choices: [{ finish_reason: 'content_filter' }] }]);
  }
});
