import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { loadLocalModel } from '../../../src/backends/upstream/local-model.ts';
import { createUpstreamServer } from '../../../src/backends/upstream/server.ts';
import { checkGraftOn } from '../../../src/backends/virtual-tokens/check.ts';
import { startReference } from '../../../src/backends/virtual-tokens/reference.ts';
import { openPromptRegistry } from '../../../src/prompts/registry.ts';
import { startFakeSglang } from '../../helpers/fake-openai.ts';
import { spelledPrompts } from '../../helpers/spelled.ts';
import { tinyModelDirectory, writeTiny } from '../../prompts/support/tiny.ts';

const template =
  "{% for message in messages %}{{ message['role'] + ': ' + message['content'] + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}";

t.test('a server is held against what the model says under the rows, computed here', async (t) => {
  const root = t.testdir();
  await writeTiny(join(root, 'prompts'));
  const version = (await openPromptRegistry([join(root, 'prompts')])).resolve('tiny/careful');
  const directory = join(root, 'model');
  await cp(tinyModelDirectory, directory, { recursive: true });
  await writeFile(join(directory, 'chat_template.jinja'), template);
  const local = await loadLocalModel(directory);
  const reference = await startReference(local);
  if (reference === null) throw new Error('it is small enough');
  t.teardown(() => reference[Symbol.asyncDispose]());
  const [first] = await reference.ask(await version.load(), 'system', 'What is the capital of France?');
  if (first === undefined) throw new Error('it says something');

  const fake = await startFakeSglang(t);
  const timeouts = { connectSeconds: 5, firstByteSeconds: 60, betweenBytesSeconds: 60 };
  const health = { intervalSeconds: 5, failures: 3, ejectSeconds: 10, slowStartSeconds: 20 };
  const server = createUpstreamServer(fake.origin, { connections: 4, timeouts, health });
  t.teardown(() => server.close());
  const prompts = spelledPrompts([{ digest: version.digest, tokens: 3 }]);
  const call = { headers: {}, signal: new AbortController().signal };
  const found = async (says: { token: string; logprob: number }) => {
    fake.openai = { says };
    const checks = await checkGraftOn({ server, model: 'grafted', call, prompts, local, reference }, version);
    return checks.find(({ name }) => name === 'same as the model');
  };
  const { text: token, logprob } = first;
  t.match(await found({ token, logprob: logprob + 0.1 }), { outcome: 'ok' });
  t.match(await found({ token, logprob: logprob - 1 }), { outcome: 'failed', finding: / is -?\d+\.\d+ here/ });
  t.match(await found({ token: 'nobody says this', logprob }), {
    outcome: 'failed',
    finding: /not among the likeliest/,
  });
});
