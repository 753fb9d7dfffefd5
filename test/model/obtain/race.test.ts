import t from 'tap';
import { fakeHub, repository } from './support/fake-hub.ts';
import { startObtaining } from './support/start-process.ts';
import { tinyModel } from './support/tiny-model.ts';

t.test('processes that start together make one download, and all get the model', async (t) => {
  const hub = await fakeHub(t, tinyModel(2_000_000), { slowly: 40_000 });
  const environment = { PREAMBLE_CACHE: t.testdir(), HF_ENDPOINT: hub.endpoint, HF_HUB_OFFLINE: '0' };
  const processes = [1, 2, 3].map(() => startObtaining(t, repository, environment));
  t.same(await Promise.all(processes.map(({ ended }) => ended)), [0, 0, 0]);
  t.equal(hub.weightRequests.length, 1);
  const sources = processes.map(({ lines }) => lines.at(-1));
  t.equal(sources.filter((line) => JSON.stringify(line).includes('"source":"hub"')).length, 1);
  t.equal(sources.filter((line) => JSON.stringify(line).includes('"source":"cache"')).length, 2);
  const waiting = processes.filter(({ lines }) => JSON.stringify(lines).includes('Another process is fetching'));
  t.equal(waiting.length, 2, 'those that wait say so');
});
