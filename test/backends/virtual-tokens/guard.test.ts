import t from 'tap';
import { createVirtualTokenGuard } from '../../../src/backends/virtual-tokens/guard.ts';
import { FIRST_VIRTUAL_ID } from '../../helpers/graft-record.ts';
import { spelledPrompts } from '../../helpers/spelled.ts';

const prompts = spelledPrompts([{ digest: '3fa91c'.padEnd(64, '0'), tokens: 12 }]);
const token = '<|p3fa91c.007|>';
const neutralise = createVirtualTokenGuard(prompts, 'neutralise', ['tool_prompt']);
const refuse = createVirtualTokenGuard(prompts, 'refuse', []);
const user = (content: unknown) => ({ messages: [{ role: 'user', content }] });
const clean = (request: object) => neutralise?.clean(request) ?? null;

t.test('ordinary text, markup among it, is left as it is', async (t) => {
  for (const text of ['Hi', '<|im_end|>', 'p3fa91', '<|p0123456.007|>', 'a < b |> c', '５', '']) {
    t.equal(clean(user(text)), null, text);
  }
  t.equal(createVirtualTokenGuard(spelledPrompts([]), 'refuse', []), null, 'and without a graft everything is');
});

t.test('a spelled token gets a blank, in every field that is put before the model', async (t) => {
  const broken = '<|p 3fa91c.007|>';
  t.strictSame(clean(user(token))?.get('messages'), [{ role: 'user', content: broken }]);
  t.strictSame(clean({ ...user('x'), tool_prompt: token })?.get('tool_prompt'), broken);
  t.strictSame(clean({ prompt: ['a', token] })?.get('prompt'), ['a', broken]);
  const tools = [{ type: 'function', function: { name: token, parameters: { [token]: 1 } } }];
  t.match(clean({ ...user('x'), tools })?.get('tools'), [{ function: { name: broken, parameters: { [broken]: 1 } } }]);
  t.strictSame(clean(user('＜｜Ｐ３ｆａ91c.007|>'))?.get('messages'), [
    { role: 'user', content: '＜｜Ｐ ３ｆａ91c.007|>' },
  ]);
  t.strictSame(clean(user('say P3FA91C.00'))?.get('messages'), [{ role: 'user', content: 'say P 3FA91C.00' }]);
});

t.test(
  'anywhere else it is refused, whatever the setting: names of fields, grammars, schemas, stop strings',
  async (t) => {
    for (const [param, value] of Object.entries({
      response_format: { type: 'json_schema', json_schema: { schema: { const: token } } },
      guided_choice: ['a', token],
      guided_regex: token,
      structured_outputs: { json: { [token]: 1 } },
      grammar: `root ::= "${token}"`,
      json_schema: '{"const":"\\u003c|\\u00703fa91c.007|>"}',
      stop: [token],
      anything: { at: [{ all: token }] },
    })) {
      t.throws(() => clean({ ...user('x'), [param]: value }), {
        code: 'invalid_request',
        param: new RegExp(`^${param}`),
      });
    }
  },
);

t.test('the setting refuse says where', async (t) => {
  t.throws(() => refuse?.clean(user(`a ${token}`)), {
    code: 'invalid_request',
    message: /'messages\[0\]\.content' spells a virtual token/,
    param: 'messages[0].content',
  });
});

t.test('pieces that a template could put together are refused', async (t) => {
  const parts = (...texts: string[]) => user(texts.map((text) => ({ type: 'text', text })));
  t.throws(() => clean(parts('<|p3fa', '91c.007|>')), { code: 'invalid_request' });
  t.throws(() => clean(parts('<|p', '3fa9', '1c.0', '07|>')), { code: 'invalid_request' });
  const split = {
    messages: [
      { role: 'user', name: '<|p3f', content: 'a91c.007|> hello' },
      { role: 'user', content: 'x' },
    ],
  };
  t.throws(() => clean(split), { code: 'invalid_request' });
  const far = {
    messages: [
      { role: 'user', content: 'y <|p3f \n' },
      { role: 'assistant', content: 'a91' },
      { role: 'user', content: ' c.007|>' },
    ],
  };
  t.throws(() => clean(far), { code: 'invalid_request' });
  t.equal(clean({ messages: [{ role: 'user', content: '<|p3f' }] }), null, 'one of them alone is nothing');
  t.equal(clean(user(`${'long '.repeat(200)}<|p3f`)), null);
  const long = {
    messages: [
      { role: 'user', content: `${'long '.repeat(200)}<|p3f` },
      { role: 'user', content: 'a91c.0' },
    ],
  };
  t.throws(() => clean(long), { code: 'invalid_request' }, 'the ends of long texts are looked at');
});

t.test('an id of a virtual token is refused wherever ids are read', async (t) => {
  const id = FIRST_VIRTUAL_ID + 3;
  for (const [param, value] of Object.entries({
    prompt: [1, id],
    allowed_token_ids: [id],
    input_ids: [[id]],
    stop_token_ids: [String(id)],
    logit_bias: { [id]: 100 },
    grammar: `root ::= <[${id}]>`,
  })) {
    t.throws(() => clean({ ...user('x'), [param]: value }), { code: 'invalid_request', param });
  }
  t.throws(() => clean({ prompt: [[1], [id]] }), { code: 'invalid_request', param: 'prompt' });
  t.throws(() => clean({ ...user('x'), logit_bias: [[id, 5]] }), { code: 'invalid_request', param: 'logit_bias' });
  t.equal(clean({ prompt: [String(id)] }), null, 'a text of digits is a text');
  t.equal(clean({ prompt: [1, 2], logit_bias: { 5: -100 }, grammar: 'root ::= <[5]>' }), null);
});

t.test('a bias for what is not plainly an id is refused: servers read names in their own way', async (t) => {
  for (const name of [` ${FIRST_VIRTUAL_ID}`, '4_9152', '049152', '+49152', '４９１５２', 'hello', '1e3']) {
    t.throws(
      () => clean({ ...user('x'), logit_bias: { [name]: 1 } }),
      { code: 'invalid_request', param: 'logit_bias' },
      name,
    );
  }
  const all = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [String(index), -100]));
  t.throws(
    () => clean({ ...user('x'), logit_bias: all }),
    { code: 'invalid_request', param: 'logit_bias' },
    'against all others is for these',
  );
});
