import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openPromptRegistry } from '../../src/prompts/registry.ts';
import { startCli } from '../helpers/serve-process.ts';
import { tinyChatModel } from '../helpers/tiny-model.ts';

const heading = 'text,label\n';
const train = `${heading}how are you,harmless\nwho is there,harmful\nwhat is that,harmless\nwhere is it,harmful\n`;
const dev = `${heading}when is it,harmless\nwhy is that,harmful\n`;

async function prepare(t: Test, files: Record<string, string> = {}): Promise<string> {
  return t.testdir({ model: await tinyChatModel(), 'train.csv': train, 'dev.csv': dev, ...files });
}

async function trainIn(t: Test, cwd: string, ...more: string[]) {
  return await trainUnder({}, t, cwd, ...more);
}

async function trainUnder(environment: Record<string, string>, t: Test, cwd: string, ...more: string[]) {
  const args = ['train', '--model', './model', '--name', 'my/first', '--train', 'train.csv', '--dev', 'dev.csv'];
  const small = ['--text', 'be careful', '--batch', '4', '--micro-batch', '2', '--steps', '4', '--evaluate-every', '2'];
  const cli = startCli(t, cwd, [...args, ...small, '--run', 'run', ...more], {
    ...environment,
    PREAMBLE_CACHE: join(cwd, 'cache'),
  });
  return { code: await cli.ended, stdout: cli.stdout(), stderr: cli.stderr() };
}

t.test('writes an artifact that says how it was made, with the metrics beside', async (t) => {
  const cwd = await prepare(t);
  const { code, stdout, stderr } = await trainIn(t, cwd, '--objective', 'vpt');
  t.equal(code, 0, stderr);
  t.match(stdout, /^Wrote my\/first@1\.0\.0, \d+ virtual tokens, from step [24] /);
  const prompt = (await openPromptRegistry([join(cwd, 'prompts')])).resolve('my/first');
  t.match(prompt.manifest, {
    text: 'be careful',
    training: { objective: 'vpt', seed: 1, hyperparameters: { steps: 4, batch: 4, 'weight.refuse': 1 } },
  });
  t.ok((await prompt.load()).values.every(Number.isFinite));
  const metrics = (await readFile(join(cwd, 'run', 'vpt', 'metrics.jsonl'), 'utf8')).trim().split('\n');
  t.same(
    metrics.map((line) => JSON.parse(line).kind),
    ['step', 'step', 'dev', 'step', 'step', 'dev'],
  );
});

t.test(
  'the report shows the dev split under no prompt, the text and the artifact, and every look as a point of the frontier',
  async (t) => {
    const cwd = await prepare(t);
    await trainIn(t, cwd, '--objective', 'vpt');
    const report = await readFile(join(cwd, 'run', 'report', 'report.html'), 'utf8');
    for (const condition of ['none', 'own text', 'my/first@1.0.0']) t.match(report, `>${condition}</`);
    for (const setting of ['vpt 2', 'vpt 4']) t.match(report, `>${setting}</`);
  },
);

t.test('the same command again goes on from the end, to the same artifact', async (t) => {
  const cwd = await prepare(t);
  const first = await trainIn(t, cwd, '--objective', 'vpt', '--json');
  const second = await trainIn(t, cwd, '--objective', 'vpt', '--json');
  t.equal(JSON.parse(second.stdout).digest, JSON.parse(first.stdout).digest);
  t.match(second.stderr, /going on from step 4/);
});

t.test('a run with other settings in the same folder is refused', async (t) => {
  const cwd = await prepare(t);
  await trainIn(t, cwd, '--objective', 'vpt');
  const { code, stderr } = await trainIn(t, cwd, '--objective', 'vpt', '--seed', '2');
  t.equal(code, 1);
  t.match(stderr, /^preamble: run.vpt holds a run with other settings.* Give another directory with --run/);
});

t.test('a model that does not refuse has no direction for DRO: the remedy is named', async (t) => {
  const cwd = await prepare(t);
  const { code, stderr } = await trainIn(t, cwd, '--objective', 'dro', '--samples', '1');
  t.equal(code, 1);
  t.match(stderr, /--start vpt|at least \d+ (harmful|queries)|queries/);
});

for (const [what, files, message] of [
  [
    'a split of one label',
    { 'train.csv': `${heading}how are you,harmless\n` },
    /train split \(train.csv\) has no harmful/,
  ],
  ['an empty split', { 'dev.csv': heading }, /dev.csv: it holds no query/],
  [
    'splits that overlap',
    { 'dev.csv': `${dev}how are you,harmless\n` },
    /"how are you" is in the train split and in the dev/,
  ],
] as const) {
  t.test(`refuses ${what}`, async (t) => {
    const cwd = await prepare(t, files);
    const { code, stderr } = await trainIn(t, cwd);
    t.equal(code, 1);
    t.match(stderr, message);
  });
}

t.test('refuses a model without a chat template', async (t) => {
  const cwd = await prepare(t, {});
  const { unlink } = await import('node:fs/promises');
  await unlink(join(cwd, 'model', 'chat_template.jinja'));
  const { code, stderr } = await trainIn(t, cwd);
  t.equal(code, 1);
  t.match(stderr, /has no chat template/);
});

t.test('a device that is not there ends it before anything is computed', async (t) => {
  const cwd = await prepare(t);
  // Linux finds WebGPU's drivers by these
  const noDriver = { VK_DRIVER_FILES: '/dev/null', VK_ICD_FILENAMES: '/dev/null' };
  const missing = process.platform === 'linux' ? 'webgpu' : 'cuda';
  const { code, stdout, stderr } = await trainUnder(noDriver, t, cwd, '--device', missing);
  t.equal(code, 1);
  t.equal(stdout, '');
  t.match(stderr, /^preamble: ONNX Runtime cannot use (webgpu|cuda) here: [^\n]+\. Install [^\n]+--device out\.$/m);
});
