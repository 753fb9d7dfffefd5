import { ChatOpenAI } from '@langchain/openai';
import t from 'tap';
import { build, collect, modelName } from '../helpers/build.ts';
import { createFakeChat } from '../helpers/fake-chat.ts';

// It reports every call to a service of its own where the environment says so.
process.env['LANGSMITH_TRACING'] = 'false';

const weather = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'The weather now',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
};

for (const useResponsesApi of [false, true]) {
  t.test(`LangChain over ${useResponsesApi ? 'the Responses API' : 'chat completions'}`, async (t) => {
    const { origin } = await build(t, { backend: createFakeChat({ relayed: true }) });
    const model = new ChatOpenAI({
      model: modelName,
      apiKey: 'none',
      maxRetries: 0,
      useResponsesApi,
      configuration: { baseURL: `${origin}/v1` },
    });

    const whole = await model.invoke('Hello');
    t.equal(whole.text, 'You said: Hello');
    t.match(whole.usage_metadata, { input_tokens: 11, output_tokens: 5, total_tokens: 16 });

    const chunks = await collect(await model.stream('Hello'));
    t.equal(chunks.map((chunk) => chunk.text).join(''), 'You said: Hello');
    t.ok(chunks.length > 2);

    const withTool = model.bindTools([weather]);
    const called = await withTool.invoke('Weather?');
    const call = { id: 'call_1', name: 'weather', args: { city: 'Paris' } };
    t.match(called.tool_calls, [call]);
    const [first, ...rest] = await collect(await withTool.stream('Weather?'));
    t.match(rest.reduce((sum, chunk) => sum?.concat(chunk), first)?.tool_calls, [call]);

    const result = { role: 'tool', content: 'Sunny.', tool_call_id: 'call_1' };
    const answer = await withTool.invoke([{ role: 'user', content: 'Weather?' }, called, result]);
    t.equal(answer.text, 'You said: Sunny.');
  });
}
