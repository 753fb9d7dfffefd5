import t from 'tap';
import { createPace } from '../../src/engine/pace.ts';

t.test('the engine waits for an event loop that is behind, and no longer', async (t) => {
  const pace = createPace(2);
  await pace.wait();
  pace.sent();
  await pace.wait();
  pace.sent();
  let waited = false;
  const waiting = pace.wait().then(() => {
    waited = true;
  });
  await new Promise(setImmediate);
  t.notOk(waited);
  pace.taken();
  await waiting;
  t.ok(waited);
  await pace.wait();
});
