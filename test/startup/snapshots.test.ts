import t from 'tap';
import type { Backend } from '../../src/backends/backend.ts';
import { createEmbeddedBackend } from '../../src/backends/embedded/embedded.ts';
import { createSnapshots } from '../../src/startup/snapshots.ts';

const policy = { models: new Map(), aliases: new Map(), tenants: new Map() };
const contents = (backends: Record<string, Backend>) => ({
  policy,
  backends: new Map(Object.entries(backends)),
  logContent: false,
  guard: null,
});
const backend = (): Backend =>
  createEmbeddedBackend({
    load: () => new Promise(() => {}),
    sampling: { temperature: 1, topP: 1 },
    onIgnoredField: () => {},
  });

t.test('a backend is unused once no snapshot names it that is current or held', async (t) => {
  const [first, second, kept] = [backend(), backend(), backend()];
  const unused: Backend[] = [];
  const snapshots = createSnapshots(contents({ llama: first, qwen: kept }), (each) => unused.push(each));
  const early = snapshots.hold();
  const late = snapshots.hold();
  t.equal(early.generation, 1);
  snapshots.replace(contents({ llama: second, qwen: kept }));
  t.equal(snapshots.current().generation, 2);
  t.equal(early.backends.get('llama'), first, 'what is held stays as it was');
  snapshots.release(early);
  t.same(unused, []);
  t.equal(snapshots.backends().size, 3);
  snapshots.release(late);
  t.equal(unused.length, 1);
  t.equal(unused[0], first);
  t.equal(snapshots.backends().size, 2);
});

t.test('at once where nothing is held', async (t) => {
  const [first, second, third] = [backend(), backend(), backend()];
  const unused: Backend[] = [];
  const snapshots = createSnapshots(contents({ llama: first }), (each) => unused.push(each));
  snapshots.replace(contents({ llama: second }));
  t.equal(unused[0], first);
  const held = snapshots.hold();
  snapshots.replace(contents({ llama: third }));
  snapshots.replace(contents({ llama: second }));
  t.same([unused.length, unused[1] === third], [2, true], 'one that is still held is not, though it came back');
  snapshots.release(held);
  t.equal(unused.length, 2, 'as it is current again');
});
