import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { loadConfig } from '../../src/config.ts';
import { keyDigest } from '../../src/policy/tenant-of-key.ts';
import { copyOfDocker, dockerFolder } from './support/files.ts';

const run = promisify(execFile);
const profiles = ['cpu', 'gpu'];

async function contents(folder: string): Promise<Record<string, string>> {
  const files = await readdir(folder);
  return Object.fromEntries(await Promise.all(files.map(async (f) => [f, await readFile(join(folder, f), 'utf8')])));
}

t.test('as they are committed, the settings are valid and let nobody in', async (t) => {
  for (const profile of profiles) {
    const { config } = await loadConfig({ file: join(dockerFolder, `preamble.${profile}.yaml`), environment: {} });
    t.same(
      config.tenants.map(({ keys }) => keys),
      [[`sha256:${'0'.repeat(64)}`]],
      profile,
    );
  }
});

t.test('setup.sh makes secrets once, and settings whose tenant has the new key', async (t) => {
  const folder = await copyOfDocker(t);
  const script = join(folder, 'setup.sh');
  const local = join(folder, 'local');
  const { stdout } = await run(script);
  const made = await contents(local);
  const key = made['api-key'] ?? '';
  t.match(key, /^pmb_[0-9a-f]{64}$/);
  for (const profile of profiles) {
    const { config } = await loadConfig({ file: join(local, `preamble.${profile}.yaml`), environment: {} });
    t.same(config.tenants[0]?.keys, [keyDigest(key)], profile);
  }
  const secrets = ['api-key', 'redis-password', 'vllm-api-key', 'grafana-password', 'admin-password'].map(
    (name) => made[name] ?? '',
  );
  t.equal(new Set(secrets).size, secrets.length, 'each is another');
  for (const secret of secrets) {
    t.ok(secret.length >= 64);
    t.notMatch(stdout, secret, 'none is printed');
  }
  t.notMatch(made['redis-users.acl'], made['redis-password'] ?? '', 'Redis gets the digest');
  t.equal((await stat(local)).mode & 0o077, 0, 'nobody else of this machine may look');

  await run(script);
  t.same(await contents(local), made, 'a second run changes nothing');
});
