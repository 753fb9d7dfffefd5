import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { startRedis } from '../helpers/redis.ts';
import { openTutorial } from './support/tutorial.ts';

t.test('several gateways: versions are pushed, promoted and taken back as the tutorial says', async (t) => {
  const redis = await startRedis(t);
  const tutorial = await openTutorial(t, {});
  await tutorial.step('4.');
  await tutorial.run([
    'preamble',
    'prompt',
    'from-text',
    '--model',
    './model',
    '--name',
    'my/safe@1.1.0-rc.1',
    '--text',
    'Be firm.',
  ]);
  const file = join(tutorial.cwd, 'preamble.yaml');
  const settings = (await readFile(file, 'utf8')).replace('prompt: my/safe@1.0.0', 'prompt: my/safe');
  await writeFile(file, `${settings}\nredis: { url: "${redis.url}", onUnavailable: local }\n`);
  await tutorial.run(['preamble', 'serve']);

  const said = await tutorial.step('Several gateways');
  t.match(said, [
    'Pushed my/safe@1.0.0 to Redis\n',
    'Promoted my/safe@1.0.0, before: none\n',
    'Pushed my/safe@1.1.0-rc.1 to Redis\n',
    'Promoted my/safe@1.1.0-rc.1, before: 1.0.0\n',
    'Rolled my/safe back from 1.1.0-rc.1 to 1.0.0\n',
  ]);
  await tutorial.run(['preamble', 'prompt', 'promote', 'my/safe@1.1.0-rc.1']);
  await tutorial.askUntil('my/safe@1.1.0-rc.1');
});
