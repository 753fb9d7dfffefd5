import fc from 'fast-check';
import t from 'tap';
import { chatBody, type Front } from '../../../src/backends/upstream/chat-body.ts';
import { partFront } from '../../../src/backends/vllm/part-front.ts';
import { parseChatRequest } from '../../../src/openai/chat.ts';

const part = { type: 'prompt_embeds', data: 'AAAA' };
const front = Buffer.from(JSON.stringify(part));
const inFront = partFront(front);

function sent(text: string, place: 'system' | 'user' = 'system', front_: Front | null = inFront): string {
  const bytes = Buffer.from(text);
  const request = parseChatRequest(JSON.parse(text.replace(/^\uFEFF/, '')));
  return Buffer.concat(chatBody(bytes, request, { model: 'org/model', front: front_, place })).toString();
}

t.test('the part is sent by reference: the same bytes for every request, never a copy', async (t) => {
  const bytes = Buffer.from('{"model":"m","messages":[{"role":"user","content":"Hi"}]}');
  const request = parseChatRequest(JSON.parse(bytes.toString()));
  const pieces = chatBody(bytes, request, { model: 'org/model', front: inFront, place: 'system' });
  t.ok(pieces.includes(front));
  t.ok(pieces.every((piece) => piece === front || piece.buffer === bytes.buffer || piece.length < 64));
});

const user = { role: 'user', content: 'Hi' };

t.test('without a system message one is made', async (t) => {
  const body = JSON.parse(sent(JSON.stringify({ model: 'm', messages: [user] })));
  t.strictSame(body, { model: 'org/model', messages: [{ role: 'system', content: [part] }, user] });
});

t.test('a system text becomes a part behind it, and keeps its spelling', async (t) => {
  const text = '{"messages":[{"content":"a\\u0062\\n\\"","role":"system"},{"role":"user","content":"Hi"}],"model":"m"}';
  t.equal(
    sent(text),
    `{"messages":[{"content":[${front},{"type":"text","text":"a\\u0062\\n\\""}],"role":"system"},{"role":"user","content":"Hi"}],"model":"org/model"}`,
  );
});

t.test('parts that are there stay, images among them', async (t) => {
  const image = { type: 'image_url', image_url: { url: 'data:,' } };
  const content = [{ type: 'text', text: 'Look' }, image];
  const body = JSON.parse(sent(JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] }), 'user'));
  t.strictSame(body.messages, [{ role: 'user', content: [part, ...content] }]);
});

t.test('a developer message is the system message', async (t) => {
  const body = JSON.parse(
    sent(JSON.stringify({ model: 'm', messages: [{ role: 'developer', content: 'Be kind' }, user] })),
  );
  t.strictSame(body.messages[0], { role: 'system', content: [part, { type: 'text', text: 'Be kind' }] });
});

t.test('a system message further down is not the leading one', async (t) => {
  const messages = [user, { role: 'system', content: 'Late' }, user];
  const body = JSON.parse(sent(JSON.stringify({ model: 'm', messages })));
  t.strictSame(body.messages, [{ role: 'system', content: [part] }, ...messages]);
});

t.test('in the first user message where the place says so; without one there is no place', async (t) => {
  const messages = [{ role: 'system', content: 'A' }, user, user];
  const body = JSON.parse(sent(JSON.stringify({ model: 'm', messages }), 'user'));
  t.strictSame(body.messages, [messages[0], { role: 'user', content: [part, { type: 'text', text: 'Hi' }] }, user]);
  const alone = JSON.stringify({ model: 'm', messages: [{ role: 'system', content: 'A' }] });
  t.throws(() => sent(alone, 'user'), { code: 'invalid_request', param: 'messages' });
});

t.test('every other byte stays: big integers, unknown fields, order, white space', async (t) => {
  const text =
    '{ "seed":123456789012345678901234567890, "x":{"y":[1.0,2e400]} ,"model":"m","messages":[{"role":"user","content":"Hi"}] }';
  t.equal(sent(text, 'system', null), text.replace('"m"', '"org/model"'));
  t.equal(sent(`\uFEFF${text}\n`, 'system', null), text.replace('"m"', '"org/model"'));
});

t.test('token counts are asked for in every stream, beside what else the client asks', async (t) => {
  const base = { model: 'm', messages: [user], stream: true };
  const options = (fields: object) =>
    JSON.parse(sent(JSON.stringify({ ...base, ...fields }), 'system', null)).stream_options;
  t.strictSame(options({}), { include_usage: true });
  t.strictSame(options({ stream_options: null }), { include_usage: true });
  t.strictSame(options({ stream_options: { include_usage: false, more: 1 } }), { include_usage: true, more: 1 });
  t.strictSame(options({ stream_options: { include_usage: true, more: 1 } }), { include_usage: true, more: 1 });
  t.equal(options({ stream: false }), undefined);
});

t.test('names that stand twice are refused: two readers could take different ones', async (t) => {
  const twice = '{"model":"m","messages":[{"role":"user","content":"a"}],"messages":[{"role":"user","content":"b"}]}';
  t.throws(() => sent(twice), { code: 'invalid_request', param: 'messages' });
  const inside = '{"model":"m","messages":[{"role":"system","content":"a","content":"b"}]}';
  t.throws(() => sent(inside), { code: 'invalid_request', param: 'content' });
});

t.test('any conversation: the client’s own is still there, with the part in front', async (t) => {
  const text = fc.string({ unit: 'binary' }).map((each) => each.toWellFormed());
  const content = fc.oneof(
    text,
    fc.array(
      text.map((each) => ({ type: 'text', text: each })),
      { minLength: 1, maxLength: 3 },
    ),
  );
  const message = fc.record({ role: fc.constantFrom('system', 'user', 'assistant'), content });
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 5 }), fc.nat(2), (generated, indent) => {
      // fast-check's objects have no prototype, parsed ones do.
      const messages: typeof generated = JSON.parse(JSON.stringify(generated));
      const body = JSON.parse(sent(JSON.stringify({ messages, model: 'm' }, null, indent)));
      const [first, ...rest] = body.messages;
      t.strictSame(first.content[0], part);
      const [leading] = messages;
      if (leading?.role !== 'system') return t.strictSame(rest, messages);
      const said = typeof leading.content === 'string' ? [{ type: 'text', text: leading.content }] : leading.content;
      t.strictSame(first.content.slice(1), said);
      return t.strictSame(rest, messages.slice(1));
    }),
    { numRuns: 200 },
  );
});
