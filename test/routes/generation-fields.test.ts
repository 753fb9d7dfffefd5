import { BadRequestError } from 'openai';
import t from 'tap';
import { buildTiny, modelName } from '../helpers/build.ts';

/** `<|im_end|>`, the end of an answer. */
const END = 2;
const VOCABULARY = 312;
/** Any token that is plain text. */
const WORD = 40;
/** Twelve times the same. */
const ALL_THE_SAME = /^(.+?)\1{11}$/s;

t.test('the fields that steer an answer, over the wire', async (t) => {
  const { client, engine, logs } = await buildTiny(t, { engineOptions: { slots: 4, queue: 4, contextLength: 256 } });
  const messages = [{ role: 'user' as const, content: 'What is that?' }];
  const base = { model: modelName, messages, temperature: 0, max_tokens: 12, ignore_eos: true };
  const chat = client.chat.completions;
  const said = async (fields: object) => (await chat.create({ ...base, ...fields })).choices[0]?.message.content ?? '';
  const refused = async (fields: object) => {
    const error: unknown = await chat.create({ ...base, ...fields }).catch((thrown) => thrown);
    if (!(error instanceof BadRequestError)) throw error;
    return { code: error.code, param: error.param, message: error.message };
  };
  const whole = await said({});

  await t.test('max_completion_tokens is stronger than max_tokens', async (t) => {
    t.match(await chat.create({ ...base, max_completion_tokens: 3 }), {
      usage: { completion_tokens: 3 },
      choices: [{ finish_reason: 'length' }],
    });
    t.match(await refused({ max_completion_tokens: 0 }), { param: 'max_completion_tokens' });
    t.match(await refused({ max_completion_tokens: 257 }), {
      param: 'max_completion_tokens',
      message: /too large: 257\. .*256 tokens.*Ask for fewer/,
    });
  });

  await t.test('logit_bias forces and forbids; ignore_eos goes on behind an end', async (t) => {
    const heeded = { ...base, ignore_eos: false, logit_bias: { [END]: 100 } };
    t.match(await chat.create(heeded), {
      choices: [{ finish_reason: 'stop', message: { content: '' } }],
      usage: { completion_tokens: 1 },
    });
    const forced = { ...base, logit_bias: { [END]: 100 }, max_tokens: 3 };
    t.match(await chat.create(forced), { choices: [{ finish_reason: 'length' }], usage: { completion_tokens: 3 } });
    const others = Array.from({ length: VOCABULARY }, (_, id) => id).filter((id) => id !== WORD);
    const only = await said({ logit_bias: { [WORD]: 100 } });
    t.match(only, ALL_THE_SAME);
    t.equal(await said({ logit_bias: Object.fromEntries(others.map((id) => [id, -100])) }), only);
    t.match(await refused({ logit_bias: { word: 1 } }), { param: /^logit_bias/ });
    t.match(await refused({ logit_bias: { 5: 101 } }), { param: 'logit_bias[5]' });
  });

  await t.test('penalties drive repetitions out', async (t) => {
    // The least bias that makes one token fill the answer is one that a penalty tips.
    let bias = 0;
    const biased = (penalty: object) => said({ logit_bias: { [WORD]: bias }, ...penalty });
    while (!ALL_THE_SAME.test(await biased({}))) bias++;
    for (const penalty of [{ presence_penalty: 2 }, { frequency_penalty: 2 }, { repetition_penalty: 100 }]) {
      t.notMatch(await biased(penalty), ALL_THE_SAME, JSON.stringify(penalty));
    }
    t.match(await refused({ presence_penalty: 2.1 }), { param: 'presence_penalty' });
    t.match(await refused({ repetition_penalty: 0 }), { param: 'repetition_penalty' });
  });

  await t.test('top_k, top_p and min_p of one token are greedy; a seed gives the same again', async (t) => {
    for (const one of [{ top_k: 1 }, { top_p: 0 }, { min_p: 1 }]) {
      t.equal(await said({ temperature: 2, ...one }), whole, JSON.stringify(one));
    }
    const seeded = await said({ temperature: 2, seed: 11 });
    t.equal(await said({ temperature: 2, seed: 11 }), seeded);
    t.not(await said({ temperature: 2, seed: 12 }), seeded);
    const both = await chat.create({ ...base, temperature: 2, seed: 11, n: 2 });
    t.equal(both.choices[0]?.message.content, seeded, 'the first of several is the only one of one');
    t.not(both.choices[1]?.message.content, seeded);
  });

  await t.test('stop, one or several, the first that comes', async (t) => {
    const [early, late] = [whole.slice(3, 5), whole.slice(8, 10)];
    for (const stop of [[early], [late, early], [late, 'never said']]) {
      const answer = await chat.create({ ...base, stop });
      const first = Math.min(...stop.map((text) => whole.indexOf(text)).filter((at) => at >= 0));
      t.equal(answer.choices[0]?.message.content, whole.slice(0, first));
      t.equal(answer.choices[0]?.finish_reason, 'stop');
    }
    t.equal(await said({ stop: early }), await said({ stop: [early] }));
    t.match(await refused({ stop: [''] }), { param: /^stop/ });
    t.match(await refused({ stop: Array(17).fill('x') }), { param: 'stop' });
  });

  await t.test('what does not fit the context is refused as OpenAI refuses it', async (t) => {
    const long = [{ role: 'user' as const, content: 'that '.repeat(400) }];
    t.match(await refused({ messages: long }), {
      code: 'context_length_exceeded',
      param: 'messages',
      message: /maximum context length is 256 tokens/,
    });
    t.match(await chat.create({ ...base, max_tokens: 256 }), { choices: [{ finish_reason: 'length' }] });
    const raw = await client.completions
      .create({ model: modelName, prompt: Array(256).fill(5) })
      .catch((thrown) => thrown);
    t.ok(raw instanceof BadRequestError && raw.code === 'context_length_exceeded' && raw.param === 'prompt');
    t.match(raw.message, /maximum context length is 256 tokens, and the prompt has 256\. Shorten the prompt/);
  });

  await t.test('what cannot be done is refused; what changes nothing is let through and told once', async (t) => {
    const schema = { type: 'json_schema', json_schema: { name: 'x', schema: {} } };
    for (const response_format of [schema, { type: 'json_object' }]) {
      t.match(await refused({ response_format }), {
        code: 'unsupported_parameter',
        param: 'response_format',
        message: /not supported.*Use text/,
      });
    }
    t.equal(await said({ response_format: { type: 'text' } }), whole);
    t.match(await refused({ tool_choice: 'required' }), { code: 'unsupported_parameter', param: 'tool_choice' });
    const image = [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:,' } }] }];
    t.match(await refused({ messages: image }), { code: 'unsupported_parameter', param: 'messages[0].content[0]' });

    const fields = { guided_regex: 'x', metadata: { a: 1 }, tools: [{ type: 'function', function: { name: 'f' } }] };
    for (let times = 0; times < 3; times++) t.equal(await said(fields), whole);
    const told = logs.filter(({ event }) => event === 'field.ignored').map(({ field }) => field);
    t.strictSame(told, ['guided_regex', 'metadata', 'tools']);
  });

  t.strictSame(engine.stats(), { running: 0, waiting: 0, slots: 4 });
});
