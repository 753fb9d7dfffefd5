import t from 'tap';
import { excerptOf } from '../../src/dashboard/excerpt.ts';

t.test('what is kept of a request is the beginning of what was asked last', async (t) => {
  const messages = [
    { role: 'system', content: 'Be kind.' },
    {
      role: 'user',
      content: [{ type: 'text', text: 'What is' }, { type: 'image_url' }, { type: 'text', text: 'this?' }],
    },
  ];
  t.equal(excerptOf(messages), 'What is this?');
  t.equal(excerptOf('Once upon'), 'Once upon');
  t.equal(excerptOf(['first', 'second']), 'first');
  t.equal(excerptOf('x'.repeat(10_000)), `${'x'.repeat(400)}…`);
  for (const odd of [null, undefined, 7, {}, [], [1, 2], [null]]) t.equal(excerptOf(odd), '');
});
