import { appendFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { openPromptRegistry } from '../../src/prompts/registry.ts';
import { resolvePrompt } from '../../src/startup/resolve-prompt.ts';
import { writeTiny } from '../prompts/support/tiny.ts';

t.test('a prompt that is there and sound', async (t) => {
  const root = t.testdir();
  const { digest } = await writeTiny(root);
  const registry = await openPromptRegistry([root]);
  for (const name of ['tiny/careful', 'tiny/careful@1.0.0']) {
    t.match(await resolvePrompt(name, 'refuse', registry), {
      state: {
        kind: 'available',
        prompt: { name: 'tiny/careful', version: '1.0.0', softPrompt: { digest, tokens: 3 } },
      },
      version: { digest },
    });
  }
  t.strictSame(await resolvePrompt(null, 'refuse', registry), { state: { kind: 'none' }, version: null });
});

t.test('one that is not there keeps the gateway from starting only where every request would be refused', async (t) => {
  const registry = await openPromptRegistry([]);
  await t.rejects(resolvePrompt('tiny/absent', 'refuse', registry), { code: 'prompt_not_found' });
  for (const instead of ['text', 'none'] as const) {
    t.match(await resolvePrompt('tiny/absent', instead, registry), {
      state: { kind: 'unavailable', reference: 'tiny/absent', reason: /There is no prompt/, text: null },
      version: null,
    });
  }
});

t.test('one whose rows cannot be read leaves its text', async (t) => {
  const root = t.testdir();
  const { directory } = await writeTiny(root);
  await rm(join(directory, 'prompt.safetensors'));
  const registry = await openPromptRegistry([root]);
  await t.rejects(resolvePrompt('tiny/careful', 'refuse', registry), { code: 'file_unreadable' });
  t.match(await resolvePrompt('tiny/careful', 'text', registry), {
    state: { kind: 'unavailable', text: 'Be kind.' },
  });
});

t.test('one that is there and wrong is an error whatever the settings say', async (t) => {
  const root = t.testdir();
  const { directory } = await writeTiny(root);
  await appendFile(join(directory, 'prompt.safetensors'), ' ');
  const registry = await openPromptRegistry([root]);
  for (const instead of ['refuse', 'text', 'none'] as const) {
    await t.rejects(resolvePrompt('tiny/careful', instead, registry), { code: 'digest_mismatch' });
  }
});
