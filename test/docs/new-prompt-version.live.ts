import t from 'tap';
import { startRedis } from '../helpers/redis.ts';
import { openTutorial } from './support/tutorial.ts';

const documented = 'redis://127.0.0.1:6379';

const stable = (version: string) => new RegExp(`my/safe@${version} +stable `);

t.test('who follows the page has the new version in front, and then the old one again', async (t) => {
  const redis = await startRedis(t);
  const page = await openTutorial(t, { [documented]: redis.url }, 'docs/how-to/new-prompt-version.md');
  for (const [version, text] of [
    ['1.0.0', 'Be good.'],
    ['1.1.0', 'Be firm and good.'],
  ] as const) {
    const make = ['from-text', '--model', './model', '--name', `my/safe@${version}`, '--text', text];
    await page.run(['preamble', 'prompt', ...make]);
  }

  t.match(await page.step('1.'), [
    'Pushed my/safe@1.0.0 to Redis\n',
    'Promoted my/safe@1.0.0, before: none\n',
    /prompt {2}my\/safe@1\.0\.0, /,
  ]);
  t.equal(await page.ask(), 'my/safe@1.0.0');
  t.match(await page.step('2.'), ['my/safe@1.1.0: ok\n', 'Pushed my/safe@1.1.0 to Redis\n', stable('1.0.0')]);
  t.match(await page.step('3.'), [
    'Started: my/safe@1.1.0 for copies of 100% of conversations, beside 1.0.0\n',
    /refused.*together/s,
    'Aborted: my/safe is 1.0.0 for all requests\n',
  ]);
  t.equal(await page.ask(), 'my/safe@1.0.0');
  t.match(await page.step('4.'), [
    'Started: my/safe@1.1.0 for 5% of conversations',
    /together/,
    '1.1.0 for 20% from now on',
  ]);
  // Too few have asked for its conditions to be met.
  await page.run(['preamble', 'rollout', 'promote', 'my/safe', '--force']);
  await page.askUntil('my/safe@1.1.0');
  t.match(await page.step('6.'), ['Rolled my/safe back from 1.1.0 to 1.0.0\n', stable('1.0.0')]);
  await page.askUntil('my/safe@1.0.0');
});
