import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { copyOfDocker, dockerFolder, root } from './support/files.ts';
import { containerTools } from './support/tools.ts';

const run = promisify(execFile);

t.setTimeout(1_200_000);
const tools = await containerTools();

t.test('hadolint finds nothing in the Dockerfile', async (t) => {
  const { code, stdout, stderr } = await tools.run('hadolint', [join(dockerFolder, 'Dockerfile')]);
  t.equal(code, 0, 'nothing', { said: `${stdout}${stderr}` });
});

t.test('shellcheck finds nothing in the scripts', async (t) => {
  const scripts = ['docker/setup.sh', 'scripts/container-tools.sh', 'scripts/python-env.sh', '.ci/run'];
  const { code, stdout, stderr } = await tools.run('shellcheck', scripts);
  t.equal(code, 0, 'nothing', { said: `${stdout}${stderr}` });
});

t.test("Compose's own reader takes compose.yaml as it is", async (t) => {
  const folder = await copyOfDocker(t);
  await run(join(folder, 'setup.sh'));
  const { code, stdout, stderr } = await tools.run('compose-config', [join(folder, 'compose.yaml')], { cwd: folder });
  t.equal(code, 0, 'taken', { said: stderr });
  t.match(stdout, /\n {4}gateway-cpu:\n/);
  t.not((await tools.run('compose-config', [join(root, 'package.json')])).code, 0, 'and not whatever it is given');
});

t.test('promtool takes the settings of Prometheus', async (t) => {
  const args = ['check', 'config', '--syntax-only', 'prometheus.yaml'];
  await t.resolves(run('promtool', args, { cwd: join(dockerFolder, 'prometheus') }));
});
