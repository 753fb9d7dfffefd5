import { createOpenAI } from '@ai-sdk/openai';
import { generateText, jsonSchema, type LanguageModel, type ModelMessage, stepCountIs, streamText, tool } from 'ai';
import t from 'tap';
import { build, collect, modelName } from '../helpers/build.ts';
import { createFakeChat } from '../helpers/fake-chat.ts';
import { createMemoryResponseStore } from '../helpers/memory-response-store.ts';

const prompt = 'Hello';

async function start(t: Parameters<typeof build>[0], keeps: boolean) {
  const backend = createFakeChat({ relayed: true });
  const { origin } = await build(t, { backend, ...(keeps ? { responses: createMemoryResponseStore() } : {}) });
  return { backend, openai: createOpenAI({ baseURL: `${origin}/v1`, apiKey: 'none' }) };
}

function weatherTool(cities: string[]) {
  return tool({
    description: 'The weather now',
    inputSchema: jsonSchema<{ city: string }>({ type: 'object', properties: { city: { type: 'string' } } }),
    execute: async ({ city }) => {
      cities.push(city);
      return `Sunny in ${city}.`;
    },
  });
}

async function talk(t: Parameters<typeof build>[0], model: LanguageModel, store: boolean): Promise<void> {
  const options = { model, maxRetries: 0, providerOptions: { openai: { store } } };
  const whole = await generateText({ ...options, prompt });
  t.equal(whole.text, 'You said: Hello');
  t.match(whole.usage, { inputTokens: 11, outputTokens: 5 });

  const streamed = streamText({ ...options, prompt });
  t.equal((await collect(streamed.textStream)).join(''), 'You said: Hello');
  t.equal(await streamed.finishReason, 'stop');

  const cities: string[] = [];
  const tools = { weather: weatherTool(cities) };
  const twoSteps = { ...options, prompt, tools, stopWhen: stepCountIs(2) };
  t.match((await generateText(twoSteps)).text, /^You said: .*Sunny in Paris\./);
  t.match((await collect(streamText(twoSteps).textStream)).join(''), /^You said: .*Sunny in Paris\./);
  t.strictSame(cities, ['Paris', 'Paris']);
}

t.test('the Vercel AI SDK over chat completions: a chat, a stream and a tool call', async (t) => {
  const { openai } = await start(t, false);
  await talk(t, openai.chat(modelName), false);
});

t.test('the Vercel AI SDK over its default, the Responses API', async (t) => {
  const { openai } = await start(t, false);
  await talk(t, openai(modelName), false);
});

t.test('the same where answers are kept: it then sends the ids of items in their place', async (t) => {
  const { openai, backend } = await start(t, true);
  const model = openai(modelName);
  await talk(t, model, true);
  const asked: ModelMessage = { role: 'user', content: prompt };
  const first = await generateText({ model, messages: [asked] });
  const next: ModelMessage = { role: 'user', content: 'And now?' };
  await generateText({ model, messages: [asked, ...first.response.messages, next] });
  t.strictSame(backend.calls.at(-1)?.request.messages, [
    asked,
    { role: 'assistant', content: 'You said: Hello' },
    next,
  ]);
});

t.test('an answer that breaks off is an error to it', async (t) => {
  const { origin } = await build(t, { backend: createFakeChat({ relayed: true, lastWords: '' }) });
  const openai = createOpenAI({ baseURL: `${origin}/v1`, apiKey: 'none' });
  const errors: unknown[] = [];
  const { textStream, finishReason } = streamText({
    model: openai(modelName),
    prompt,
    maxRetries: 0,
    onError: ({ error }) => void errors.push(error),
  });
  await collect(textStream);
  t.equal(await finishReason, 'error');
  t.equal(errors.length, 1);
});
