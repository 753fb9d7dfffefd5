import fc from 'fast-check';
import t from 'tap';
import {
  neutraliseReservedText,
  RESERVED_TEXT,
  refuseClientEmbeddings,
  refuseReservedText,
} from '../../src/openai/hostile.ts';

const user = (content: unknown) => ({ model: 'm', messages: [{ role: 'user', content }] });

t.test('a client’s embeddings are refused wherever they stand', async (t) => {
  const cases: [body: unknown, param: string][] = [
    [{ model: 'm', prompt_embeds: 'AAAA' }, 'prompt_embeds'],
    [{ model: 'm', prompt: 'x', prompt_embeds: null }, 'prompt_embeds'],
    [
      user([
        { type: 'text', text: 'x' },
        { type: 'prompt_embeds', data: 'AAAA' },
      ]),
      'messages[0].content[1]',
    ],
    [user([{ prompt_embeds: 'AAAA' }]), 'messages[0].content[0]'],
    [user({ deep: [[{ type: 'prompt_embeds' }]] }), 'messages[0].content.deep[0][0]'],
    [user([{ type: 'image_embeds', image_embeds: 'AAAA' }]), 'messages[0].content[0]'],
    [{ messages: { prompt_embeds: 1 } }, 'messages'],
  ];
  for (const [body, param] of cases) {
    t.throws(() => refuseClientEmbeddings(body), { code: 'unsupported_parameter', param }, JSON.stringify(body));
  }
});

t.test('talking about embeddings is no offence', async (t) => {
  const body = {
    ...user('What is prompt_embeds?'),
    tools: [{ type: 'function', function: { name: 'prompt_embeds' } }],
  };
  t.doesNotThrow(() => refuseClientEmbeddings(body));
  t.doesNotThrow(() => refuseReservedText(body));
  t.doesNotThrow(() => refuseClientEmbeddings(null));
});

t.test('the reserved text is refused wherever it could reach the model', async (t) => {
  const cases: [body: unknown, param: string][] = [
    [user('a <prompt_embeds> b'), 'messages[0].content'],
    [user([{ type: 'text', text: '<prompt_embeds>' }]), 'messages[0].content[0].text'],
    [{ prompt: ['x', '<prompt_embeds>'] }, 'prompt[1]'],
    [{ tools: [{ function: { description: '<prompt_embeds>' } }] }, 'tools[0].function.description'],
    [{ tools: [{ function: { parameters: { '<prompt_embeds>': 1 } } }] }, 'tools[0].function.parameters'],
    [{ suffix: 'x<prompt_embeds>' }, 'suffix'],
    [{ chat_template_kwargs: { note: '<prompt_embeds>' } }, 'chat_template_kwargs.note'],
  ];
  for (const [body, param] of cases)
    t.throws(() => refuseReservedText(body), { code: 'invalid_request', param }, JSON.stringify(body));
});

t.test('the reserved text is found in escapes and in pieces', async (t) => {
  const escaped = {
    role: 'assistant',
    tool_calls: [{ function: { arguments: '{"q": "\\u003cprompt\\u005fembeds\\u003E"}' } }],
  };
  t.throws(() => refuseReservedText({ messages: [escaped] }), {
    code: 'invalid_request',
    param: 'messages[0].tool_calls[0].function.arguments',
  });
  const pieces = [{ type: 'text', text: '<prompt_' }, { type: 'image_url' }, { type: 'text', text: 'embeds>' }];
  t.throws(() => refuseReservedText(user(pieces)), { code: 'invalid_request', param: 'messages[0].content' });
});

t.test('neutralising rewrites text, keeps the rest, and refuses what it cannot rewrite', async (t) => {
  const body = { ...user(`Say ${RESERVED_TEXT}${RESERVED_TEXT}`), n: 2, stop: null, tools: [{ type: 'function' }] };
  t.strictSame(neutraliseReservedText(body), {
    ...user('Say <prompt-embeds><prompt-embeds>'),
    n: 2,
    stop: null,
    tools: [{ type: 'function' }],
  });
  t.throws(() => neutraliseReservedText({ tools: [{ [RESERVED_TEXT]: 1 }] }), { code: 'invalid_request' });
  t.throws(() => neutraliseReservedText({ a: '\\u003cprompt_embeds>' }), { code: 'invalid_request' });
});

t.test('whatever text surrounds it, neutralised text holds no reserved text', async (t) => {
  const pieces = fc.array(fc.constantFrom('<', 'prompt_embeds', '>', '<prompt_embeds>', 'x', '<prompt_', 'embeds>'), {
    maxLength: 12,
  });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(pieces, (all) => !JSON.stringify(neutraliseReservedText(user(all.join('')))).includes(RESERVED_TEXT)),
    ),
  );
});

t.test('time is linear in the size of the request', async (t) => {
  const parts = Array.from({ length: 200_000 }, () => ({ type: 'text', text: '<prompt_ \\u0041'.repeat(3) }));
  const start = performance.now();
  refuseReservedText(user(parts));
  refuseClientEmbeddings(user(parts));
  t.ok(performance.now() - start < 5_000);
});
