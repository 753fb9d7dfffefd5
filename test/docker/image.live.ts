import { execFile } from 'node:child_process';
import { chown, mkdir, open, readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { defaultModelName } from '../../src/model/known-models.ts';
import { openCache } from '../../src/model/obtain/cache.ts';
import { obtainModel } from '../../src/model/obtain/obtain.ts';
import { version } from '../../src/version.ts';
import { type ImageSettings, imageSettings, startContainer } from './support/container.ts';
import { copyOfDocker, dockerFolder, root } from './support/files.ts';
import { startBuilder } from './support/stand-in-images.ts';

const run = promisify(execFile);
const image = 'localhost/preamble:test';
const ANSWER_LIMIT_MS = 300_000;
/** ELF's number for AArch64, in the two bytes at 18. */
const AARCH64 = 183;

/** It installs all dependencies twice. */
t.setTimeout(1_800_000);
const builder = await startBuilder(t);
const processor = process.arch === 'x64' ? 'amd64' : 'arm64';
const build = (target: string, ...more: string[]) =>
  builder.buildah(
    'build',
    ...['--isolation', 'chroot', '--network', 'host', '--pull-never', '--format', 'docker', '--quiet'],
    ...['--build-arg', `TARGETARCH=${target}`, ...more],
    ...['--file', join(dockerFolder, 'Dockerfile'), root],
  );
await build(processor, '--build-arg', `VERSION=${version}`, '--tag', image);

/** Paths within an image. */
async function filesOf(name: string): Promise<{ root: string; files: string[] }> {
  const mounted = await builder.buildah('mount', await builder.buildah('from', '--pull-never', name));
  return { root: mounted, files: await readdir(join(mounted, 'app'), { recursive: true }) };
}

t.test('the image says what it is, who runs it and how it ends', async (t) => {
  const settings = await imageSettings(builder, image);
  const wanted: Partial<ImageSettings> = {
    User: '65532:65532',
    StopSignal: 'SIGTERM',
    Volumes: { '/var/cache/preamble': {} },
    ExposedPorts: { '8080/tcp': {}, '8081/tcp': {} },
  };
  t.match(settings, wanted);
  t.match(settings.Labels, {
    'org.opencontainers.image.title': 'preamble',
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.licenses': 'Apache-2.0',
  });
});

t.test('it holds what serves, and nothing else', async (t) => {
  const { root, files } = await filesOf(image);
  const has = (pattern: RegExp) => files.some((path) => pattern.test(path));
  t.ok(has(/^dist\/cli\.js$/));
  t.ok(has(/^prompts\/smollm2-135m\/careful\/1\.0\.0\/prompt\.json$/));
  t.notOk(has(/^(src|test|\.git|docker\/local)(\/|$)/), 'no sources, no secrets');
  t.notOk(has(/^node_modules\/(typescript|tap|@biomejs|node)\//), 'no tools of development, and no second Node');
  const runtimes = files.filter((path) => /onnxruntime-node\/bin\/napi-v\d+\/[^/]+\/[^/]+$/.test(path));
  t.equal(runtimes.length, 1, runtimes.join(', '));
  t.same(await readdir(join(root, 'usr/local/bin')), ['node'], 'one program');
  const { stdout } = await run('du', ['-sm', join(root, 'app'), join(root, 'usr/local/bin/node')]);
  t.comment(
    `figure: megabytes of the program and of Node: ${stdout.replaceAll(/\s+\S*\/(app|node)\n/g, ' $1, ').trim()}`,
  );
});

t.test('it serves without rights and without a root that can be written, and ends when its answers have', async (t) => {
  await obtainModel(defaultModelName);
  const folder = await copyOfDocker(t);
  await run(join(folder, 'setup.sh'));
  const key = await readFile(join(folder, 'local/api-key'), 'utf8');
  const cache = join(builder.folder, 'cache');
  await mkdir(join(cache, 'models'), { recursive: true });
  await chown(cache, 65532, 65532);
  const [port, adminPort] = [await freePort(), await freePort()];
  const container = await startContainer(t, builder, image, {
    mounts: [
      { source: join(folder, 'local/preamble.cpu.yaml'), target: '/etc/preamble/preamble.yaml' },
      { source: cache, target: '/var/cache/preamble', writable: true },
      { source: join(openCache().root, 'models'), target: '/var/cache/preamble/models' },
    ],
    environment: { PREAMBLE_LISTEN_PORT: String(port), PREAMBLE_ADMIN_PORT: String(adminPort) },
  });
  const [kind, ...check] = (await imageSettings(builder, image)).Healthcheck.Test;
  t.equal(kind, 'CMD', 'no shell is asked for');
  await healthy(t, container.exec, check, () => container.output());

  const status = await container.status();
  t.match(status, /^Uid:(\t65532){4}$/m);
  t.match(status, /^CapEff:\t0+$/m, 'no capabilities');
  t.match(status, /^NoNewPrivs:\t1$/m);
  const written = ['-e', "require('fs').writeFileSync('/app/x', '')"];
  t.not(await container.exec(['/usr/local/bin/node', ...written]), 0, 'the root can not be written');

  const origin = `http://127.0.0.1:${port}`;
  const ask = (headers: Record<string, string>, fields: object) =>
    fetch(`${origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({
        model: defaultModelName,
        messages: [{ role: 'user', content: 'What is the capital of France?' }],
        ...fields,
      }),
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    });
  const authorization = `Bearer ${key}`;
  t.equal((await ask({}, {})).status, 401);
  const answer = await ask({ authorization }, { max_tokens: 16 });
  t.equal(answer.status, 200);
  t.equal(answer.headers.get('x-preamble-prompt'), 'smollm2-135m/careful@1.0.0');
  t.match(await answer.json(), { choices: [{ message: { content: /Paris/ } }] });
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  t.match(metrics, new RegExp(`preamble_build_info\\{version="${version}"\\} 1`));

  const stream = await ask({ authorization }, { stream: true, max_tokens: 64 });
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
  let read = (await reader?.read())?.value ?? '';
  await container.signal('SIGTERM');
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) read += part.value;
  t.match(read, /data: \[DONE\]\n\n$/, 'a running answer comes to its end');
  t.equal(await container.ended, 0, container.output());
});

/** As an engine would: asks until it is well. */
async function healthy(
  t: Test,
  exec: (command: readonly string[]) => Promise<number>,
  check: readonly string[],
  output: () => string,
): Promise<void> {
  const limit = Date.now() + ANSWER_LIMIT_MS;
  while (Date.now() < limit) {
    if ((await exec(check)) === 0) return;
    await sleep(1_000);
  }
  t.fail(`not healthy: ${output()}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

t.test('for another architecture it takes its binaries, without running any', async (t) => {
  const other = processor === 'amd64' ? { target: 'arm64', cpu: 'arm64' } : { target: 'amd64', cpu: 'x64' };
  const dependencies = await build(other.target, '--target', 'dependencies');
  const { root, files } = await filesOf(dependencies.split('\n').at(-1) ?? '');
  const bindings = files.filter((path) => path.endsWith('.node'));
  t.ok(bindings.length >= 2, bindings.join(', '));
  for (const path of bindings) {
    t.match(path, new RegExp(other.cpu));
    t.equal((await machineOf(join(root, 'app', path))) === AARCH64, other.cpu === 'arm64', path);
  }
});

async function machineOf(path: string): Promise<number> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(20), 0, 20, 0);
    return buffer.readUInt16LE(18);
  } finally {
    await file.close();
  }
}
