import t from 'tap';
import { build, collect, modelName } from '../helpers/build.ts';
import { createFakeChat } from '../helpers/fake-chat.ts';

const messages = [{ role: 'user' as const, content: 'Hello' }];
const weather = {
  name: 'weather',
  description: 'The weather now',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
};

t.test("OpenAI's client for Node: a chat, a stream and a tool call", async (t) => {
  const { client } = await build(t, { backend: createFakeChat({ relayed: true }) });
  const chat = client.chat.completions;
  const whole = await chat.create({ model: modelName, messages });
  t.equal(whole.choices[0]?.message.content, 'You said: Hello');

  const chunks = await collect(await chat.create({ model: modelName, messages, stream: true }));
  t.equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join(''), 'You said: Hello');

  for (const stream of [false, true] as const) {
    const cities: string[] = [];
    const tool = {
      type: 'function' as const,
      function: {
        ...weather,
        function: async ({ city }: { city: string }) => {
          cities.push(city);
          return `Sunny in ${city}.`;
        },
        parse: JSON.parse,
      },
    };
    const runner = stream
      ? chat.runTools({ model: modelName, messages, tools: [tool], stream })
      : chat.runTools({ model: modelName, messages, tools: [tool] });
    t.equal(await runner.finalContent(), 'You said: Sunny in Paris.');
    t.strictSame(cities, ['Paris']);
  }
});
