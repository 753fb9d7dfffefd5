import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runCli, serving, startCli } from '../helpers/serve-process.ts';
import { tinyChatModel } from '../helpers/tiny-model.ts';

/** Stands in every text that is sent. */
const MARKER = 'zqxjkv';

/** In the order of the design's list. */
const FIELDS = [
  'event',
  'requestId',
  'tenant',
  'model',
  'backend',
  'prompt',
  'variant',
  'mode',
  'choice',
  'decision',
  'detector',
  'rule',
  'atChar',
  'stream',
  'finishReason',
  'promptTokens',
  'completionTokens',
  'firstTokenMs',
  'totalMs',
  'gatewayMs',
  'guard',
];

/** A gateway with a prompt of its own, everything logged that can be. */
async function start(t: Test, content: boolean) {
  const cwd = t.testdir({
    model: await tinyChatModel(),
    'preamble.yaml': `models:
  tiny:
    prompt: tiny/kind
    onPromptUnavailable: refuse
    backend: { kind: embedded, model: ./model, weights: float32, contextLength: 4096, slots: 1, queue: 0 }
promptDirectories: [prompts]
log: { level: trace, content: ${content} }
`,
  });
  const made = ['prompt', 'from-text', '--model', './model', '--name', 'tiny/kind', '--text', 'Be kind.', '--json'];
  const { digest } = JSON.parse((await runCli(t, cwd, made)).stdout);
  const vocabulary = JSON.parse(await readFile(join(cwd, 'model/tokenizer.json'), 'utf8')).model.vocab;
  const word = Object.entries(vocabulary).find(([text, id]) => /^[a-z]{4,}$/.test(text) && id);
  if (word === undefined) throw new Error('no word in the vocabulary');
  const cli = startCli(t, cwd, ['serve', '--port', '0']);
  const origin = await serving(cli);
  const post = async (path: string, fields: object, signal?: AbortSignal) => {
    const body = JSON.stringify({ model: 'tiny', ignore_eos: true, logit_bias: { [String(word[1])]: 100 }, ...fields });
    const headers = { 'content-type': 'application/json' };
    return fetch(`${origin}${path}`, { method: 'POST', headers, body, ...(signal === undefined ? {} : { signal }) });
  };
  return { cli, post, digest, word: word[0] };
}

const messages = [
  { role: 'system', content: `Rules: ${MARKER}` },
  { role: 'user', content: [{ type: 'text', text: `Tell me about ${MARKER}.` }] },
];

t.test(
  'one line a choice with every field of the design, and no word that was asked or answered in any line',
  async (t) => {
    const { cli, post, digest, word } = await start(t, false);
    const chat = '/v1/chat/completions';
    const whole = await (await post(chat, { messages, max_tokens: 4, n: 1 })).text();
    t.match(JSON.parse(whole), { choices: [{ message: { content: word.repeat(4) } }] });
    await (await post(chat, { messages, max_tokens: 4, stream: true })).text();
    await (await post('/v1/completions', { prompt: MARKER, max_tokens: 3, stop: MARKER, user: MARKER })).text();

    // Everything that goes wrong with such a text in it.
    const broken: [path: string, fields: object][] = [
      [chat, { messages: MARKER }],
      [chat, { messages: [{ role: MARKER, content: MARKER }] }],
      [chat, { messages: [{ role: 'user', content: [{ type: 'text', text: { [MARKER]: MARKER } }] }] }],
      [chat, { messages: [{ role: 'tool', content: MARKER }] }],
      [chat, { messages: [{ role: 'user', content: [{ type: 'text', text: MARKER, prompt_embeds: MARKER }] }] }],
      [chat, { messages: [{ role: 'user', content: `${MARKER} `.repeat(2000) }] }],
      [chat, { messages, n: 9 }],
      [chat, { messages, stop: [MARKER, ''] }],
      [chat, { messages, response_format: { type: 'json_schema', json_schema: { name: MARKER } } }],
      [chat, { messages, tools: [{ type: 'function', function: { name: MARKER } }], tool_choice: 'required' }],
      [chat, { messages, metadata: { note: MARKER }, prediction: { type: 'content', content: MARKER }, max_tokens: 1 }],
      ['/v1/completions', { prompt: [MARKER, 5] }],
      ['/v1/completions', { prompt: MARKER, suffix: MARKER }],
      ['/v1/completions', { prompt: { [MARKER]: MARKER } }],
    ];
    for (const [path, fields] of broken) {
      const text = await (await post(path, fields)).text();
      t.notMatch(text, /\.ts:|\bat .*:\d+:\d+/, 'no stack trace');
    }
    await fetch(`${await serving(cli)}${chat}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      // The JSON parser's own message would quote what stands there.
      body: `{"model": ${MARKER}}`,
    });
    const gone = new AbortController();
    const stream = await post(chat, { messages, stream: true, max_tokens: 3500 }, gone.signal);
    const busy = await post(chat, { messages });
    t.equal(busy.status, 429);
    gone.abort();
    await t.rejects(stream.text());

    cli.child.kill('SIGTERM');
    t.equal(await cli.ended, 0);
    const decisions = cli.logs().filter(({ event }) => event === 'refusal.decision');
    t.equal(decisions.length, 5, 'the four that were answered and the one that broke off');
    for (const line of decisions) {
      const { level, time, msg, ...fields } = line;
      t.strictSame(Object.keys(fields), FIELDS);
      t.match(fields, {
        requestId: /^req_[0-9a-f]{32}$/,
        tenant: 'default',
        model: 'tiny',
        backend: 'embedded',
        prompt: { name: 'tiny/kind', version: '1.0.0', digest },
        variant: 'stable',
        mode: 'monitor',
        choice: 0,
        detector: /^phrases-en@\d+\.\d+\.\d+$/,
        totalMs: Number,
        gatewayMs: Number,
      });
      t.same({ level, msg }, { level: 30, msg: 'refusal decision' });
      t.ok(Number.isInteger(time));
      t.ok(Number(line['gatewayMs']) <= Number(line['totalMs']));
    }
    const answered = { decision: 'complied', rule: null, atChar: null, finishReason: 'length', completionTokens: 4 };
    t.match(decisions.slice(0, 2), [
      { ...answered, stream: false },
      { ...answered, stream: true },
    ]);
    t.equal(decisions[0]?.['promptTokens'], JSON.parse(whole).usage.prompt_tokens);
    t.ok(Number(decisions[1]?.['firstTokenMs']) <= Number(decisions[1]?.['totalMs']));
    t.match(decisions[4], { decision: 'unknown', finishReason: null, promptTokens: null, completionTokens: null });

    t.notOk(cli.logs().some(({ event }) => event === 'content'));
    const everything = cli.stdout() + cli.stderr();
    t.ok(cli.logs().filter(({ event }) => event === 'request').length >= broken.length + 5);
    t.notMatch(everything, MARKER);
    t.notMatch(everything, word);
  },
);

t.test('log.content writes down what was asked and answered, beside the decision', async (t) => {
  const { cli, post, word } = await start(t, true);
  const first = await post('/v1/chat/completions', { messages, max_tokens: 4 });
  const id = first.headers.get('x-request-id');
  await (await post('/v1/chat/completions', { messages, max_tokens: 2, stream: true })).text();
  await (await post('/v1/completions', { prompt: MARKER, max_tokens: 3 })).text();
  cli.child.kill('SIGTERM');
  await cli.ended;
  const contents = cli.logs().filter(({ event }) => event === 'content');
  t.match(contents, [
    { requestId: id, choice: 0, request: messages, answer: word.repeat(4) },
    { request: messages, answer: word.repeat(2) },
    { request: MARKER, answer: word.repeat(3) },
  ]);
  t.notMatch(JSON.stringify(cli.logs().filter(({ event }) => event !== 'content')), MARKER);
});
