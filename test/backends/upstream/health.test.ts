import t from 'tap';
import { createServerHealth } from '../../../src/backends/upstream/health.ts';

const settings = { failures: 3, ejectSeconds: 10, slowStartSeconds: 20 };

t.test('failures in a row eject; a success between them starts the count anew', async (t) => {
  const health = createServerHealth(settings);
  health.failed('gone', 0);
  health.failed('gone', 0);
  health.succeeded();
  health.failed('gone', 0);
  health.failed('gone', 0);
  t.ok(health.accepts());
  health.failed('gone', 0);
  t.notOk(health.accepts());
  t.equal(health.problem(), 'gone');
  t.equal(health.weight(0), 0);
});

t.test('a good probe brings it back when its time is over, slowly', async (t) => {
  const health = createServerHealth(settings);
  for (let i = 0; i < 3; i++) health.failed('gone', 1000);
  health.probed(10_999);
  t.notOk(health.accepts(), 'too early');
  health.probed(11_000);
  t.ok(health.accepts());
  t.equal(health.problem(), null);
  t.equal(health.weight(11_000), 0.1);
  t.equal(health.weight(21_000), 0.55);
  t.equal(health.weight(31_000), 1);
});

t.test('one that fails again at once is away for twice as long, up to sixteen-fold', async (t) => {
  const health = createServerHealth(settings);
  let now = 0;
  for (let i = 0; i < 3; i++) health.failed('gone', now);
  for (const seconds of [10, 20, 40, 80, 160, 160]) {
    health.probed(now + seconds * 1000 - 1);
    t.notOk(health.accepts(), `${seconds} s`);
    now += seconds * 1000;
    health.probed(now);
    t.ok(health.accepts());
    health.failed('gone', now);
  }
});

t.test('a bad probe of an ejected server keeps it away', async (t) => {
  const health = createServerHealth(settings);
  for (let i = 0; i < 3; i++) health.failed('gone', 0);
  health.failed('still gone', 9000);
  health.probed(12_000);
  t.notOk(health.accepts());
  t.equal(health.problem(), 'still gone');
});
