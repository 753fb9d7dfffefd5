import t, { type Test } from 'tap';
import { obtainModel } from '../../../src/model/obtain/obtain.ts';
import { filesBelow, setEnvironment } from './support/environment.ts';
import { type FakeHub, type Faults, fakeHub, repository } from './support/fake-hub.ts';
import { pattern, tinyModel, weightsOf } from './support/tiny-model.ts';

const files = tinyModel();
const weights = weightsOf(files);

async function hubWith(t: Test, faults: Faults): Promise<FakeHub> {
  const hub = await fakeHub(t, files, faults);
  setEnvironment(t, { PREAMBLE_CACHE: t.testdir(), HF_ENDPOINT: hub.endpoint, HF_HUB_OFFLINE: '0' });
  return hub;
}

async function nothingTaken(t: Test): Promise<void> {
  const left = await filesBelow(process.env['PREAMBLE_CACHE'] ?? '');
  t.notOk(
    left.some((file) => file.startsWith('models/') || file.endsWith('model.safetensors')),
    left.join(),
  );
}

t.test('wrong bytes of the right length are fetched once more, then refused', async (t) => {
  const hub = await hubWith(t, { bytes: () => pattern(weights.length, 9) });
  await t.rejects(obtainModel(repository), { code: 'digest_mismatch', message: /model\.safetensors .*damaged/ });
  t.same(hub.weightRequests, [null, null]);
  t.notOk((await filesBelow(process.env['PREAMBLE_CACHE'] ?? '')).some((file) => file.endsWith('.part')));
  await nothingTaken(t);
});

t.test('bytes that were wrong once are replaced', async (t) => {
  const bodies = [pattern(weights.length, 9), weights];
  await hubWith(t, { bytes: () => bodies.shift() ?? weights });
  t.match(await obtainModel(repository), { source: 'hub' });
});

t.test('a partial file of other bytes is found out when it is complete, and replaced', async (t) => {
  const bodies = [pattern(weights.length, 9)];
  const cuts = [100_000];
  await hubWith(t, { bytes: () => bodies.shift() ?? weights, cutAfter: () => cuts.shift() });
  t.match(await obtainModel(repository), { source: 'hub' });
});

t.test('a body that ends too soon is asked for the rest, not taken for whole', async (t) => {
  const hub = await hubWith(t, { bytes: () => weights.subarray(0, 1000), chunked: true });
  await t.rejects(obtainModel(repository), { code: 'digest_mismatch', message: /fewer bytes than are here/ });
  t.same(hub.weightRequests, [null, 'bytes=1000-']);
  await nothingTaken(t);
});

t.test('a body that goes on and on is cut off', async (t) => {
  const hub = await hubWith(t, { bytes: () => Buffer.concat([weights, weights]), chunked: true });
  await t.rejects(obtainModel(repository), { code: 'digest_mismatch', message: /more than \d+ bytes/ });
  t.equal(hub.weightRequests.length, 1);
  await nothingTaken(t);
});

t.test('a length other than the listed one is refused before any byte', async (t) => {
  const hub = await hubWith(t, { bytes: () => Buffer.from('<html>please log in</html>') });
  await t.rejects(obtainModel(repository), {
    code: 'digest_mismatch',
    message: /offers another model\.safetensors: 26 bytes/,
  });
  t.equal(hub.weightRequests.length, 1);
  await nothingTaken(t);
});

t.test('a length that promises more than is sent is an interruption, not an end', async (t) => {
  await hubWith(t, {
    bytes: () => weights.subarray(0, 1000),
    contentLength: () => weights.length,
    cutAfter: () => 1000,
  });
  await t.rejects(obtainModel(repository));
  await nothingTaken(t);
});
