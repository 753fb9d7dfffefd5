import t from 'tap';
import { chatStart, completionStart } from '../../src/openai/conversation-start.ts';

const system = { role: 'system', content: 'Be brief.' } as const;
const question = { role: 'user', content: 'Why?' } as const;
const answer = { role: 'assistant', content: 'So.' } as const;
const next = { role: 'user', content: 'And then?' } as const;

t.test('all turns of a conversation begin alike, and only the first one opens it', async (t) => {
  const first = chatStart({ messages: [system, question] });
  const second = chatStart({ messages: [system, question, answer, next] });
  t.equal(first.key, second.key);
  t.strictSame([first.opens, second.opens], [true, false]);
});

t.test('another question, another system text and another end user are another conversation', async (t) => {
  const keys = [
    chatStart({ messages: [system, question] }),
    chatStart({ messages: [system, next] }),
    chatStart({ messages: [question] }),
    chatStart(Object.assign({ messages: [system, question] }, { user: 'anna' })),
    chatStart(Object.assign({ messages: [system, question] }, { user: 'bert' })),
    chatStart({ messages: [system, { role: 'user', content: [{ type: 'text', text: 'Why?' }] }] }),
  ].map(({ key }) => key);
  t.equal(new Set(keys).size, keys.length);
  t.equal(
    chatStart(Object.assign({ messages: [question] }, { user: { hostile: true } })).key,
    chatStart({ messages: [question] }).key,
  );
});

t.test('each text of a completion is one of its own', async (t) => {
  t.not(completionStart({ prompt: 'a' }).key, completionStart({ prompt: 'b' }).key);
  t.equal(completionStart({ prompt: 'a' }).opens, true);
});
