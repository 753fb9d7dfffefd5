import t from 'tap';
import { build, collect, modelName } from '../helpers/build.ts';
import { startDefaultEngine } from '../helpers/default-engine.ts';

t.test('the real default model over the Responses API', async (t) => {
  const { engine } = await startDefaultEngine();
  t.teardown(() => engine.close());
  const { client, decisions } = await build(t, { engine });
  const request = {
    model: modelName,
    instructions: 'Answer in one sentence.',
    input: 'What is the capital of France?',
    temperature: 0,
    max_output_tokens: 40,
  };
  const whole = await client.responses.create(request);
  t.match(whole.output_text, /Paris/);
  t.equal(whole.status, 'completed');

  const chat = await client.chat.completions.create({
    model: modelName,
    temperature: 0,
    max_tokens: 40,
    messages: [
      { role: 'system', content: request.instructions },
      { role: 'user', content: request.input },
    ],
  });
  t.equal(whole.output_text, chat.choices[0]?.message.content, 'the same as in chat completions');
  t.equal(whole.usage?.input_tokens, chat.usage?.prompt_tokens);

  const stream = client.responses.stream({ ...request, include: ['message.output_text.logprobs'], top_logprobs: 2 });
  const events = await collect(stream);
  const streamed = await stream.finalResponse();
  t.equal(streamed.output_text, whole.output_text);
  const [message] = streamed.output;
  const [said] = message?.type === 'message' ? message.content : [];
  const logprobs = said?.type === 'output_text' ? (said.logprobs ?? []) : [];
  t.equal(logprobs.map(({ token }) => token).join(''), streamed.output_text);
  t.ok(logprobs.every(({ top_logprobs: top }) => top.length === 2));
  t.ok(events.filter(({ type }) => type === 'response.output_text.delta').length > 5);

  const cut = await client.responses.create({ ...request, max_output_tokens: 3 });
  t.match(cut, { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
  t.match(
    decisions().map((line) => line['stream']),
    [false, false, true, false],
  );
});
