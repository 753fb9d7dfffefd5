import t from 'tap';
import { refuseClientEmbeddings } from '../../src/openai/hostile.ts';

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
  t.doesNotThrow(() => refuseClientEmbeddings(null));
});

t.test('time is linear in the size of the request', async (t) => {
  const parts = Array.from({ length: 200_000 }, () => ({ type: 'text', text: '<prompt_ \\u0041'.repeat(3) }));
  const start = performance.now();
  refuseClientEmbeddings(user(parts));
  t.ok(performance.now() - start < 5_000);
});
