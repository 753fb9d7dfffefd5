import t from 'tap';
import { question } from '../helpers/build-proxy.ts';
import { find } from '../helpers/parse-markup.ts';
import { logged, startRolling } from '../rollout/support.ts';
import { openPage, startWithShipped, tableRows } from './prompt-support.ts';

const KIND = '/dashboard/prompts/test/kind/1.0.0';
const sha256 = (digit: string) => `sha256:${digit.repeat(64)}`;

t.test('where a version answers: models by all their names, tenants by theirs', async (t) => {
  const tenants = [
    { id: 'shop', keys: [sha256('a')], models: ['*'] },
    { id: 'desk', keys: [sha256('b')], models: ['gpt-*'] },
    { id: 'lab', keys: [sha256('c')], models: ['*'], prompts: { chat: null } },
    { id: 'none', keys: [sha256('d')], models: ['other'] },
  ];
  const gateway = await startWithShipped(t, { model: { aliases: ['gpt-4o', 'gpt-5'] }, more: { tenants } });
  const { page } = await openPage(gateway, KIND);
  t.strictSame(tableRows(page, 'Where it answers').slice(1), [
    ['chat', 'gpt-4o, gpt-5', 'shop, desk', 'stable', '100%'],
  ]);
});

t.test('how often it was asked and refused', async (t) => {
  const gateway = await startWithShipped(t);
  t.match((await openPage(gateway, KIND)).text, 'Nobody asked for it');
  await gateway.post(question);
  while (gateway.decisions().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const { page } = await openPage(gateway, KIND);
  t.strictSame(tableRows(page, 'Where it answers').slice(1), [['chat', '–', 'everybody', 'stable', '100%']]);
  const asked = ['chat', 'stable', 'default', '1', '0.0% (0.0 to 79.3)', '1', '0.0% (0.0 to 79.3)', '0'];
  t.strictSame(tableRows(page, 'Asked and refused').slice(1), [asked]);
  t.match((await openPage(gateway, '/dashboard/prompts/smollm2-135m/dro/1.0.0')).text, 'Nobody asked for it');
});

t.test('both versions of a rollout say so, with the evidence so far', async (t) => {
  const { gateways, rollout } = await startRolling(t);
  const [gateway] = gateways;
  if (gateway === undefined) throw new Error('a gateway');
  await rollout('start', 'test/kind', '--candidate', '1.1.0-rc.1', '--share', '5%');
  await logged(gateway, 'rollout.changed');
  const stable = await openPage(gateway, KIND);
  t.strictSame(tableRows(stable.page, 'Where it answers')[1]?.slice(3), ['stable', '95%']);
  const candidate = await openPage(gateway, '/dashboard/prompts/test/kind/1.1.0-rc.1');
  t.strictSame(tableRows(candidate.page, 'Where it answers')[1]?.slice(3), ['candidate of a rollout', '5%']);
  for (const { page } of [stable, candidate]) {
    const [, row] = tableRows(page, 'Rollouts of test/kind');
    t.strictSame(row?.slice(0, 4), ['1.1.0-rc.1', '1.0.0', 'running', '5%']);
    t.equal(row?.at(-1), '1.00 of 20');
  }
});

t.test('the list has every version, with a link to its page, and what is damaged', async (t) => {
  const gateway = await startWithShipped(t, {
    files: { prompts: { test: { broken: { '1.0.0': { 'prompt.json': '{}' } } } } },
  });
  const { page } = await openPage(gateway, '/dashboard/prompts');
  const rows = tableRows(page, 'Versions');
  t.strictSame(
    rows.slice(1).map(([label]) => label),
    [
      'smollm2-135m/brief@1.0.0',
      'smollm2-135m/careful@1.0.0',
      'smollm2-135m/dro@1.0.0',
      'smollm2-135m/firm@1.0.0',
      'smollm2-135m/vpt@1.0.0',
      'test/kind@1.0.0',
    ],
  );
  t.strictSame(rows[6]?.slice(0, 3), ['test/kind@1.0.0', 'chat', '0']);
  t.strictSame(rows[3]?.slice(4, 7), ['14.0% (8.5 to 22.1)', '23.0% (15.8 to 32.2)', 'training (both)']);
  const [, broken] = tableRows(page, 'Damaged');
  t.equal(broken?.[0], 'test/broken@1.0.0');
  t.match(broken?.[1], /is not a valid prompt artifact/);
  for (const link of find(page, 'a')) {
    t.equal((await fetch(gateway.admin + link.getAttribute('href'))).status, 200);
  }
  const overview = await openPage(gateway, '/dashboard');
  t.ok(find(overview.page, 'a').some((link) => link.getAttribute('href') === '/dashboard/prompts'));
});

t.test('a prompt that is not there: a page that says so, and what is there by that name', async (t) => {
  const gateway = await startWithShipped(t, {
    files: { prompts: { test: { broken: { '1.0.0': { 'prompt.json': '{}' } } } } },
  });
  for (const path of ['test/kind/2.0.0', 'test/kind', 'test%2Fkind/9.9.9']) {
    const { status, headers, page } = await openPage(gateway, `/dashboard/prompts/${path}`);
    t.equal(status, 404);
    t.match(headers.get('content-type'), 'text/html');
    t.ok(find(page, 'a').some((link) => link.getAttribute('href') === KIND));
  }
  for (const path of [
    '',
    '1.0.0',
    '%3Cscript%3E/1.0.0',
    '..%2F..%2Fetc/1.0.0',
    'a/b/c/d/e/1.0.0',
    'test/kind/1.0.0/',
  ]) {
    const { status, text } = await openPage(gateway, `/dashboard/prompts/${path}`);
    t.equal(status, 404, path);
    t.match(text, 'This gateway has no prompt');
  }
  const damaged = await openPage(gateway, '/dashboard/prompts/test/broken/1.0.0');
  t.equal(damaged.status, 404);
  t.match(damaged.text, 'test/broken@1.0.0 is damaged');
  t.equal((await fetch(`${gateway.admin}${KIND}`, { method: 'POST' })).status, 405);
});
