import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../src/config.ts';
import { rolloutsFile } from '../../src/startup/open-rollouts.ts';
import { writeProxySettings } from '../helpers/build-proxy.ts';
import { logged, startRolling } from './support.ts';

const start = ['start', 'test/kind', '--candidate', '1.1.0-rc.1', '--share', '50%'];

t.test(
  'gateway and commands keep rollouts where rollouts.stateFile says, and nothing beside preamble.yaml',
  async (t) => {
    const { gateways, rollout } = await startRolling(t, { more: { rollouts: { stateFile: 'state/kept.json' } } });
    const [gateway] = gateways;
    if (gateway === undefined) return;
    await rollout(...start);
    // The gateway hears of it through that file alone.
    await logged(gateway, 'rollout.changed');
    t.match(JSON.parse(await readFile(join(gateway.folder, 'state/kept.json'), 'utf8')), {
      rollouts: { 'test/kind': { status: 'running' } },
    });
    await t.rejects(stat(join(gateway.folder, 'rollouts.json')), { code: 'ENOENT' });
    t.match(await rollout('status', 'test/kind'), /1\.1\.0-rc\.1 in 50% of conversations, running/);
    await rollout('abort', 'test/kind');
    await logged(gateway, 'rollout.changed', 2);
  },
);

t.test('a place that can not be written is said at once, with the setting that names another', async (t) => {
  // Its lock's name is longer than any file's may be.
  const stateFile = 'x'.repeat(253);
  const { gateways, rollout } = await startRolling(t, { more: { rollouts: { stateFile } } });
  await t.rejects(rollout(...start), {
    code: 'file_unwritable',
    message: /^Cannot write \S+\/x{253}: /,
    action: /rollouts\.stateFile in preamble\.yaml/,
  });
  const [gateway] = gateways;
  t.equal((await gateway?.post({ model: 'chat', messages: [{ role: 'user', content: 'Question' }] }))?.status, 200);
});

t.test('the environment names the place too; without any it is beside preamble.yaml', async (t) => {
  const file = join(await writeProxySettings(t, [{ origin: 'http://127.0.0.1:1' }]), 'preamble.yaml');
  const place = async (environment: NodeJS.ProcessEnv) => rolloutsFile(await loadConfig({ file, environment }));
  t.equal(await place({}), join(file, '../rollouts.json'));
  t.equal(await place({ PREAMBLE_ROLLOUTS_STATE_FILE: '/var/cache/preamble/r.json' }), '/var/cache/preamble/r.json');
});
