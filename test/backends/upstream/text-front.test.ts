import fc from 'fast-check';
import t from 'tap';
import { chatBody } from '../../../src/backends/upstream/chat-body.ts';
import { textFront } from '../../../src/backends/upstream/text-front.ts';
import { parseChatRequest } from '../../../src/openai/chat.ts';

const text = '<|p3fa91c.000|>"\\';
const front = textFront(text);
const user = { role: 'user', content: 'Hi' };

function sent(messages: unknown, place: 'system' | 'user' = 'system') {
  const bytes = Buffer.from(JSON.stringify({ model: 'm', messages }));
  const request = parseChatRequest(JSON.parse(bytes.toString()));
  return JSON.parse(Buffer.concat(chatBody(bytes, request, { model: 'org/model', front, place })).toString()).messages;
}

t.test('a system message is made of it, or begins with it and a line feed', async (t) => {
  t.strictSame(sent([user]), [{ role: 'system', content: text }, user]);
  t.strictSame(sent([{ role: 'system', content: 'Be brief' }, user]), [
    { role: 'system', content: `${text}\nBe brief` },
    user,
  ]);
  t.strictSame(sent([{ role: 'developer', content: 'Be brief' }, user])[0], {
    role: 'system',
    content: `${text}\nBe brief`,
  });
  t.strictSame(sent([user], 'user'), [{ role: 'user', content: `${text}\nHi` }]);
});

t.test('of several parts the first text begins with it; in front of an image it is a part', async (t) => {
  const image = { type: 'image_url', image_url: { url: 'data:,' } };
  const part = (said: string) => ({ type: 'text', text: said });
  t.strictSame(sent([{ role: 'user', content: [part('a'), image] }], 'user')[0].content, [part(`${text}\na`), image]);
  t.strictSame(sent([{ role: 'user', content: [image, part('a')] }], 'user')[0].content, [
    part(text),
    image,
    part('a'),
  ]);
});

t.test('the client’s own text is still there, byte for byte', async (t) => {
  const said = fc.string({ unit: 'binary' }).map((each) => each.toWellFormed());
  fc.assert(
    fc.property(said, (content) => {
      t.equal(sent([{ role: 'system', content }, user])[0].content, `${text}\n${content}`);
    }),
    { numRuns: 100 },
  );
});
