import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { shippedPromptDirectory } from '../../src/prompts/shipped.ts';
import { find, textOf } from '../helpers/parse-markup.ts';
import { openPage, startWithShipped, tableRows } from './prompt-support.ts';

const DRO = '/dashboard/prompts/smollm2-135m/dro/1.0.0';

t.test('a page tells what the manifest says: facts, evaluation with intervals, curve', async (t) => {
  const gateway = await startWithShipped(t);
  const { status, headers, html, page, text } = await openPage(gateway, DRO);
  t.equal(status, 200);
  t.equal(headers.get('content-type'), 'text/html; charset=utf-8');
  t.equal(textOf(find(page, 'h1')[0]), 'smollm2-135m/dro@1.0.0');

  const facts = new Map(tableRows(page, 'From the manifest').map(([name, value]) => [name, value]));
  t.equal(facts.get('Rows'), '96 virtual tokens of 576 values each, BF16');
  t.match(facts.get('Digest'), /^[0-9a-f]{64}$/);
  t.equal(facts.get('Signature'), 'not signed');
  t.equal(facts.get('Position'), 'system message');
  t.match(tableRows(page, 'The model'), [['Model', 'HuggingFaceTB/SmolLM2-135M-Instruct']]);
  t.match(tableRows(page, 'How it was trained'), [
    ['Objective', 'both'],
    ['Tool', 'preamble 0.1.0'],
    ['Seed', '1'],
  ]);
  t.match(tableRows(page, 'Settings of the training'), [['steps', '80']]);
  const sets = tableRows(page, 'Query sets').map(([set, use]) => `${set}: ${use}`);
  t.ok(
    sets.includes('prompts/queries/train.jsonl prompts/queries/extra.jsonl: training') &&
      sets.includes('test: evaluation'),
  );

  const harmful = tableRows(page, '100 harmful queries of test');
  t.strictSame(harmful[0]?.slice(0, 3), ['Under', 'Complied', 'Refused']);
  t.strictSame(
    harmful.slice(1).map(([name, complied]) => [name, complied]),
    [
      ['No prompt', '92.0% (85.0 to 95.9)'],
      ['Its own text', '90.0% (82.6 to 94.5)'],
      ['smollm2-135m/vpt@1.0.0', '14.0% (8.5 to 22.1)'],
      ['smollm2-135m/careful@1.0.0', '96.0% (90.2 to 98.4)'],
      ['smollm2-135m/dro@1.0.0', '14.0% (8.5 to 22.1)'],
    ],
  );
  // Two sets, the curve and the representations, each for wide and for narrow pages; the neutral set has harmless queries only.
  t.equal(find(page, 'svg').length, 8);
  t.strictSame(
    find(page, 'svg').map((svg) => find(svg, 'g', 'measure').length),
    [2, 2, 1, 1, 0, 0, 0, 0],
  );
  const curve = find(page, 'svg')[4];
  t.equal(curve && find(curve, 'path', 'loss').length, 6, 'the loss and its five terms');
  t.match(textOf(curve), 'kept: step 40');
  t.notMatch(text, 'the manifest does not say of how many');
  const older = await openPage(gateway, '/dashboard/prompts/smollm2-135m/vpt/1.0.0');
  t.match(older.text, 'the manifest does not say of how many');

  const manifest: { text: string } = JSON.parse(
    await readFile(join(shippedPromptDirectory, 'smollm2-135m/dro/1.0.0/prompt.json'), 'utf8'),
  );
  t.notOk(html.includes(manifest.text.slice(0, 40)), 'the text itself is not told');
  t.notOk(html.includes(shippedPromptDirectory), 'nor where its files lie');
});

t.test('its own style sheets apply and nothing else', async (t) => {
  const gateway = await startWithShipped(t);
  for (const path of [DRO, '/dashboard/prompts', '/dashboard/prompts/no/1.0.0']) {
    const { headers, html, page } = await openPage(gateway, path);
    const digests = find(page, 'style').map(
      (style) => `'sha256-${createHash('sha256').update(textOf(style)).digest('base64')}'`,
    );
    t.equal(digests.length, 2);
    t.equal(
      headers.get('content-security-policy'),
      `default-src 'none'; style-src ${digests.join(' ')}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
    t.notMatch(html, / style=| on[a-z]+=|<script|<img|<link|url\(|@import/i);
  }
});

t.test('links lead to sections, and the way back is there', async (t) => {
  const { page } = await openPage(await startWithShipped(t), DRO);
  const links = find(page, 'a').map((link) => link.getAttribute('href') ?? '');
  t.strictSame(links.slice(0, 2), ['/dashboard', '/dashboard/prompts']);
  const ids = find(page, 'section').map((section) => `#${section.getAttribute('id')}`);
  t.strictSame(links.slice(2), ids);
  t.strictSame(ids, ['#service', '#evaluation', '#training', '#queries', '#prompt', '#model']);
});

t.test('a prompt that was only made of a text says what is not known of it', async (t) => {
  const { page, text } = await openPage(await startWithShipped(t), '/dashboard/prompts/smollm2-135m/careful/1.0.0');
  t.match(text, 'It has not been evaluated');
  t.match(text, 'It answers nowhere on this gateway now.');
  t.strictSame(
    find(page, 'section').map((section) => section.getAttribute('id')),
    ['service', 'evaluation', 'prompt', 'model'],
  );
});

t.test('what is served is shown, and that other content lies on the disk', async (t) => {
  const gateway = await startWithShipped(t);
  const before = await openPage(gateway, '/dashboard/prompts/test/kind/1.0.0');
  t.notMatch(before.text, 'Other content');
  const file = join(gateway.folder, 'prompts/test/kind/1.0.0/prompt.json');
  const manifest = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify({ ...manifest, testSetReads: 3 }));
  const after = await openPage(gateway, '/dashboard/prompts/test/kind/1.0.0');
  t.match(after.text, 'Other content lies in its directory');
  t.strictSame(tableRows(after.page, 'From the manifest'), tableRows(before.page, 'From the manifest'));
});

t.test('hostile texts of a manifest stay texts', async (t) => {
  const gateway = await startWithShipped(t);
  const hostile = '</td></style><script src="x">&<!--';
  const file = join(gateway.folder, 'prompts/test/kind/1.0.0/prompt.json');
  const manifest = JSON.parse(await readFile(file, 'utf8'));
  const figure = { rate: 0.5, interval: [0.4, 0.6] };
  const changed = {
    ...manifest,
    model: { ...manifest.model, id: hostile },
    training: {
      objective: hostile,
      tool: hostile,
      seed: 1,
      hyperparameters: { [hostile]: hostile, [`weight.${hostile}`]: 1 },
      anchors: [{ set: hostile, sha256: 'a'.repeat(64) }],
      curve: [{ step: 1, loss: 2, [hostile]: 1 }],
    },
    evaluation: [
      {
        set: hostile,
        n: 3,
        label: 'harmful',
        complianceRate: { prompt: figure, compared: { [hostile]: figure } },
        detector: hostile,
        sampling: { [hostile]: hostile },
      },
    ],
  };
  const directory = join(gateway.folder, 'prompts/test/hostile/1.0.0');
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'prompt.json'), JSON.stringify({ ...changed, name: 'test/hostile' }));
  const { page, text } = await openPage(gateway, '/dashboard/prompts/test/hostile/1.0.0');
  t.equal(find(page, 'script').length, 0);
  t.ok(text.split(hostile).length > 8);
  t.match(text, /Cannot read .*prompt\.safetensors/, 'and that its rows are missing');
});
