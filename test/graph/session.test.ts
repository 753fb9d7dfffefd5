import { mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createGraph } from '../../src/graph/builder.ts';
import { floatData, hostTensor, openSession } from '../../src/graph/session.ts';

t.test('runs a graph whose sizes are known only when it runs', async (t) => {
  const graph = createGraph();
  const x = graph.input('x', ['rows', 2], 'float32');
  graph.output(graph.reshape(graph.add(x, graph.constant([10, 20], [2], 'float32')), ['rows', 1, 2]), 'y');
  const session = await openSession(graph.build());
  t.teardown(() => session.release());
  for (const rows of [1, 3]) {
    const { y } = await session.run({ x: hostTensor(new Float32Array(rows * 2), [rows, 2]) });
    t.same(y?.dims, [rows, 1, 2]);
    t.same([...(y?.data ?? [])].slice(-2), [10, 20]);
  }
});

t.test('reads weights in place from the folder, also through a link to it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'preamble-session-'));
  const link = `${folder}-link`;
  await symlink(folder, link);
  await writeFile(join(folder, 'weights.bin'), new Uint8Array(new Float32Array([0, 0, 1, 2, 3, 4]).buffer));
  const graph = createGraph();
  const weight = graph.external('w', 'float32', [2, 2], { file: 'weights.bin', offset: 8, length: 16 });
  graph.output(graph.linear(graph.input('x', [1, 2], 'float32'), weight), 'y');
  const session = await openSession(graph.build(), { externalFolder: link });
  t.teardown(() => session.release());
  const results = await session.run({ x: hostTensor(Float32Array.of(1, 10), [1, 2]) });
  t.same([...floatData(results, 'y')], [21, 43]);
});

t.test('writes into a preallocated output', async (t) => {
  const graph = createGraph();
  graph.output(graph.neg(graph.input('x', [2], 'float32')), 'y');
  const session = await openSession(graph.build());
  t.teardown(() => session.release());
  const target = new Float32Array(2);
  await session.run({ x: hostTensor(Float32Array.of(1, 2), [2]) }, { y: hostTensor(target, [2]) });
  t.same([...target], [-1, -2]);
});

t.test('one tensor may have two public names, and an input may be an output', async (t) => {
  const graph = createGraph();
  const x = graph.input('x', [1], 'float32');
  const y = graph.neg(x);
  graph.output(y, 'first');
  graph.output(y, 'second');
  graph.output(x, 'same');
  graph.output(graph.neg(y), 'third');
  const session = await openSession(graph.build());
  t.teardown(() => session.release());
  const results = await session.run({ x: hostTensor(Float32Array.of(5), [1]) });
  t.same(
    ['first', 'second', 'same', 'third'].map((name) => floatData(results, name)[0]),
    [-5, -5, 5, 5],
  );
});
