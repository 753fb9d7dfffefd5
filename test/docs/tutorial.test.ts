import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { loadTokenizer } from '../../src/model/tokenizer/tokenizer.ts';
import { startFakeVllm } from '../helpers/fake-vllm.ts';
import { tinyModelDirectory } from '../prompts/support/tiny.ts';
import { openTutorial } from './support/tutorial.ts';

/** Of the tiny model. */
const HIDDEN_SIZE = 32;

// The first three steps need no settings: test/commands/serve-default.test.ts and examples.test.ts follow them.
t.test('from the fourth step on, a reader sees what the tutorial says', async (t) => {
  const tokenizer = await loadTokenizer(tinyModelDirectory);
  const vllm = await startFakeVllm(t, {
    hiddenSize: HIDDEN_SIZE,
    countTokens: (text) => tokenizer.encode(text).length,
  });
  const tutorial = await openTutorial(t, { 'http://127.0.0.1:8000': vllm.origin });

  const [made, fits, banner] = await tutorial.step('4.');
  t.match(made, /^Wrote my\/safe@1\.0\.0, \d+ virtual tokens \(prompts\/my\/safe\/1\.0\.0\)\n$/);
  t.match(fits, '✓ my/safe@1.0.0: Made for it.');
  t.match(banner, /prompt {2}my\/safe@1\.0\.0, /);
  t.equal(await tutorial.ask(), 'my/safe@1.0.0');
  t.match(await tutorial.dashboard(), 'my/safe@1.0.0');

  const [proof] = await tutorial.step('5.');
  t.match(proof, /✓ my\/safe@1\.0\.0: same as text/);
  t.equal(await tutorial.ask(), 'my/safe@1.0.0');
  t.equal(
    vllm.received.filter(({ body }) => body.includes('prompt_embeds')).length > 0,
    true,
    'the server got its rows',
  );

  const [trained] = await tutorial.step('6.');
  t.match(trained, /^Wrote my\/safe@1\.1\.0-rc\.1, /);
  const [table] = await tutorial.step('7.');
  t.match(table, /my\/safe@1\.1\.0-rc\.1/);

  const file = join(tutorial.cwd, 'preamble.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace('prompt: my/safe@1.0.0', 'prompt: my/safe'));
  await tutorial.gateway().until(/"event":"config\.reloaded"/);
  await writeFile(join(tutorial.cwd, 'gateway.log'), tutorial.gateway().stderr());
  t.equal(await tutorial.ask(), 'my/safe@1.0.0', 'a pre-release is not taken by itself');
  const [started, status, promoted, summary] = await tutorial.step('8.');
  t.match(started, 'Started: my/safe@1.1.0-rc.1 for 20% of conversations, beside 1.0.0');
  t.match(status, /stable 1\.0\.0 +candidate 1\.1\.0-rc\.1/);
  t.match(promoted, 'Promoted my/safe@1.1.0-rc.1, before: 1.0.0');
  t.match(summary, /REFUSED/);
  await tutorial.askUntil('my/safe@1.1.0-rc.1');

  const [grafted] = await tutorial.step('9.');
  t.match(grafted, /^Would write \.\/grafted:\n.*\nmy\/safe@1\.0\.0 /s);
});
