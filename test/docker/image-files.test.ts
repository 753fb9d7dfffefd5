import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { dockerFolder, root } from './support/files.ts';

const lockSchema = Type.Object({
  packages: Type.Record(Type.String(), Type.Object({ version: Type.Optional(Type.String()) })),
});

/** Instructions without comments, continued lines joined. */
async function instructions(): Promise<string[]> {
  const text = await readFile(join(dockerFolder, 'Dockerfile'), 'utf8');
  return text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '');
}

t.test('the image has the Node that the tests run on', async (t) => {
  const lock = Value.Parse(lockSchema, JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')));
  const version = lock.packages['node_modules/node']?.version ?? 'none';
  t.match(await instructions(), [new RegExp(`^ARG NODE_IMAGE=.*/node:${version.replaceAll('.', '\\.')}-`)]);
});

t.test('it runs without a shell, as a user with a number, and is told to end by SIGTERM', async (t) => {
  const lines = await instructions();
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  const instructionOf = (name: string) => last.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1);
  t.match(instructionOf('USER'), /^[1-9]\d*:[1-9]\d*$/);
  t.equal(instructionOf('STOPSIGNAL'), 'SIGTERM');
  for (const name of ['ENTRYPOINT', 'CMD']) t.type(JSON.parse(instructionOf(name) ?? ''), Array, name);
  t.match(instructionOf('HEALTHCHECK'), /CMD \["[^"]*node", "\/app\/docker\/healthcheck\.mjs"\]$/);
  t.notOk(
    last.some((line) => line.startsWith('RUN ')),
    'nothing runs in the last stage: there is no shell',
  );
});

t.test('all that is copied into it reaches the builder', async (t) => {
  const ignored = await readFile(join(root, '.dockerignore'), 'utf8');
  const sources = (await instructions())
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
    .flatMap((line) => line.split(' ').slice(1, -1));
  t.ok(sources.length > 5);
  for (const source of sources) t.match(ignored, `\n!${source}\n`, source);
});

/** The exit code of the health check, asked of a gateway that answers so. */
async function healthOf(t: Test, status: number | null): Promise<unknown> {
  const server = createServer(({ url }, answer) => answer.writeHead(url === '/readyz' ? (status ?? 0) : 404).end('{}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  if (status === null) server.close();
  return await new Promise((resolve) => {
    const env = { ...process.env, NODE_OPTIONS: '', PREAMBLE_LISTEN_PORT: String(port) };
    execFile(process.execPath, [join(dockerFolder, 'healthcheck.mjs')], { env }, (error) => resolve(error?.code ?? 0));
  });
}

t.test('the health check succeeds where the gateway is ready, and only there', async (t) => {
  t.same(await Promise.all([200, 503, null].map((status) => healthOf(t, status))), [0, 1, 1]);
});
