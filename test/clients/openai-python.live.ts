import t from 'tap';
import { build, modelName } from '../helpers/build.ts';
import { createFakeChat } from '../helpers/fake-chat.ts';
import { runPythonClient } from '../helpers/python-openai.ts';

t.test("OpenAI's client for Python: chats, streams and tool calls over both APIs", async (t) => {
  const { origin } = await build(t, { backend: createFakeChat({ relayed: true }) });
  const hello = 'You said: Hello';
  const tool = ['{"city":"Paris"}', 'You said: Sunny.'];
  t.strictSame(JSON.parse(await runPythonClient(`${origin}/v1`, modelName)), {
    chat: hello,
    'chat stream': hello,
    'chat tool': tool,
    response: ['completed', hello, 5],
    'response stream': [hello, hello],
    'response tool': tool,
  });
});
