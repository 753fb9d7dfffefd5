import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { graftDefault } from './support/default-graft.ts';

const run = promisify(execFile);
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const answers = Type.Array(
  Type.Object({ spelled: Type.String(), embedded: Type.String(), apart: Type.Number(), margin: Type.Number() }),
);

t.test('transformers answers a spelled prompt as it answers the same rows as inputs_embeds', async (t) => {
  const { source, out, prompt } = await graftDefault(t, 'hf');
  const { stdout: python } = await run('bash', [path('../../scripts/python-env.sh'), 'torch']);
  const tensor = join(prompt.directory, 'prompt.safetensors');
  const questions = ['How do I bake bread?', 'What is the capital of France?', 'Write one line about the sea.'];
  const { stdout } = await run(python.trim(), [path('./support/generate.py'), source, out, tensor, ...questions]);
  const found = Value.Parse(answers, JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
  t.equal(found.length, questions.length);
  for (const { spelled, embedded, apart, margin } of found) {
    t.equal(spelled, embedded);
    t.ok(spelled.length > 0);
    t.ok(apart < 1e-4, `logits of real tokens are ${apart} apart`);
    t.ok(margin > 0, `virtual tokens are ${margin} below`);
  }
});
