import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { adapterDirectory, tinyModelDirectory } from '../prompts/support/tiny.ts';

const entry = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

function prompt(cwd: string, ...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [entry, 'prompt', ...args], { cwd }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

const model = ['--model', tinyModelDirectory];

t.test('a prompt is made, listed, shown, checked and handed on', async (t) => {
  const cwd = t.testdir({ 'text.txt': 'Be kind.\nBe careful.\n\n' });
  const made = await prompt(cwd, 'from-text', ...model, '--name', 'tiny/kind', '--text-file', 'text.txt');
  t.match(made, {
    code: 0,
    stderr: '',
    stdout: /^Wrote tiny\/kind@1\.0\.0, \d+ virtual tokens \(prompts\/tiny\/kind\/1\.0\.0\)\n$/,
  });
  const again = await prompt(
    cwd,
    'from-text',
    ...model,
    '--name',
    'tiny/kind@1.0.0',
    '--text',
    'Be kind.\nBe careful.',
    '--json',
  );
  t.match(JSON.parse(again.stdout), { prompt: 'tiny/kind@1.0.0', isNew: false, digest: /^[0-9a-f]{64}$/ });
  const other = await prompt(cwd, 'from-text', ...model, '--name', 'tiny/kind', '--text', 'Be unkind.');
  t.match(other, {
    code: 1,
    stdout: '',
    stderr: /^preamble: tiny\/kind@1\.0\.0 exists already .* give the new content a new version.*\n$/,
  });

  const listed = await prompt(cwd, 'list');
  t.match(
    listed.stdout,
    /^PROMPT +MODEL +MADE BY +DIGEST\n.*smollm2-135m\/careful@1\.0\.0.*\ntiny\/kind@1\.0\.0 +preamble-tests\/tiny-chat +text +[0-9a-f]{12}\n$/s,
  );
  t.match(JSON.parse((await prompt(cwd, 'list', '--prompts', 'prompts', '--json')).stdout), [
    { name: 'tiny/kind', status: 'ok' },
  ]);

  const shown = await prompt(cwd, 'show', 'tiny/kind');
  t.match(shown.stdout, /rows +\d+ virtual tokens of 32 values, BF16\n.*\n\nBe kind\.\nBe careful\.\n$/s);
  t.match(JSON.parse((await prompt(cwd, 'show', 'tiny/kind', '--json')).stdout), {
    dtype: 'BF16',
    manifest: { text: 'Be kind.\nBe careful.' },
  });

  t.match(await prompt(cwd, 'verify', 'tiny/kind', ...model), { code: 0, stdout: 'tiny/kind@1.0.0: ok\n' });
  const exported = await prompt(cwd, 'export', 'tiny/kind', '--format', 'peft', '--out', 'adapter');
  t.match(exported, { code: 0, stdout: 'Wrote tiny/kind@1.0.0 to adapter\n' });
  const added = await prompt(cwd, 'add', 'adapter', ...model, '--name', 'tiny/again@2.0.0', '--out', 'elsewhere');
  t.match(added, { code: 0, stderr: '', stdout: /^Wrote tiny\/again@2\.0\.0/ });
});

t.test('an adapter of another model is bound to this one, and says so', async (t) => {
  const cwd = t.testdir();
  await writeFile(
    join(cwd, 'adapter_config.json'),
    '{"peft_type":"PROMPT_TUNING","base_model_name_or_path":"someone/else"}',
  );
  await copyFile(join(adapterDirectory('text'), 'adapter_model.safetensors'), join(cwd, 'adapter_model.safetensors'));
  const added = await prompt(cwd, 'add', '.', ...model, '--name', 'tiny/peft');
  t.match(added, { code: 0, stderr: /trained on "someone\/else"; it is now bound to preamble-tests\/tiny-chat/ });
  const lora = await prompt(cwd, 'add', adapterDirectory('lora'), ...model, '--name', 'tiny/lora');
  t.match(lora, { code: 1, stdout: '', stderr: /^preamble: .*LORA.*\n$/ });
});

t.test('a file of torch.save becomes a prompt if it holds nothing but rows', async (t) => {
  const cwd = t.testdir();
  const recorded = fileURLToPath(new URL('../fixtures/torch-save/torch-2.13.0/', import.meta.url));
  const add = (file: string) => prompt(cwd, 'add', join(recorded, file), ...model, '--name', 'tiny/saved');
  t.match(await add('bf16.pt'), { code: 0, stderr: '', stdout: /^Wrote tiny\/saved@1\.0\.0, 3 virtual tokens / });
  t.match(await add('refused/module.pt'), {
    code: 1,
    stdout: '',
    stderr: /^preamble: module\.pt is not a usable torch\.save file: its pickle names "torch\.nn\..*\n$/,
  });
});

t.test('verify tells the sound from the damaged, and ends in 1', async (t) => {
  const cwd = t.testdir();
  for (const name of ['tiny/a', 'tiny/b', 'tiny/c']) {
    t.equal((await prompt(cwd, 'from-text', ...model, '--name', name, '--text', name)).code, 0);
  }
  await writeFile(join(cwd, 'prompts/tiny/a/1.0.0/prompt.safetensors'), 'nonsense');
  await writeFile(join(cwd, 'prompts/tiny/b/1.0.0/prompt.json'), '{}');
  const verified = await prompt(cwd, 'verify', '--prompts', 'prompts');
  t.equal(verified.code, 1);
  t.match(verified.stdout, /tiny\/a@1\.0\.0: .*SHA-256.*\ntiny\/c@1\.0\.0: ok\ntiny\/b@1\.0\.0: .*format/);
  t.equal(verified.stderr, 'preamble: Not usable: tiny/a@1.0.0, tiny/b@1.0.0. Make them again or get fresh copies.\n');
});

t.test('a signed prompt holds under its key and no other', async (t) => {
  const cwd = t.testdir();
  for (const name of ['own', 'other']) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    await writeFile(join(cwd, `${name}.pem`), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await writeFile(join(cwd, `${name}.pub`), publicKey.export({ type: 'spki', format: 'pem' }));
  }
  await prompt(cwd, 'from-text', ...model, '--name', 'tiny/signed', '--text', 'Be kind.', '--sign-with', 'own.pem');
  t.match(await prompt(cwd, 'verify', 'tiny/signed', '--public-key', 'own.pub'), { code: 0 });
  t.match(await prompt(cwd, 'verify', 'tiny/signed', '--public-key', 'other.pub'), { code: 1, stdout: /not trusted/ });
  t.match(await prompt(cwd, 'verify', '--public-key', 'absent'), {
    code: 1,
    stderr: /^preamble: Cannot read absent.*\n$/,
  });
  t.match(await prompt(cwd, 'verify', '--public-key', entry), {
    code: 1,
    stderr: /^preamble: .* no public Ed25519 key.*\n$/,
  });
});

t.test('wrong use and missing things end in one line and their code', async (t) => {
  const cwd = t.testdir();
  const uses: [string[], number, RegExp][] = [
    [['show', 'tiny/absent'], 1, /^preamble: There is no prompt "tiny\/absent"\. There are: smollm2-135m\/brief/],
    [['show', '../../etc'], 1, /is not the name of a prompt/],
    [['list', '--prompts', 'absent'], 1, /^preamble: Cannot list the prompts in absent/],
    [['from-text', ...model, '--name', 'tiny/x'], 2, /^error: one of --text and --text-file is required/],
    [
      ['from-text', ...model, '--name', '../x', '--text', 'a'],
      2,
      /argument '..\/x' is invalid. .*is not the name of a prompt/,
    ],
    [['from-text', ...model, '--name', 'tiny/x', '--text-file', 'absent'], 1, /^preamble: Cannot read absent/],
    [['from-text', '--model', './absent', '--name', 'tiny/x', '--text', 'a'], 1, /absent does not exist/],
    [['add', 'absent', ...model, '--name', 'tiny/x'], 1, /^preamble: Cannot read absent/],
    [['export', 'smollm2-135m/brief', '--out', '.'], 1, /exists already/],
    [['verify', 'smollm2-135m/brief', ...model], 1, /^preamble: Not usable/],
  ];
  for (const [args, code, message] of uses) {
    const ended = await prompt(cwd, ...args);
    t.match(ended, { code, stderr: message }, args.join(' '));
    if (code === 1) t.equal(ended.stderr.split('\n').length, 2, 'one line');
  }
});
