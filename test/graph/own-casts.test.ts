import t from 'tap';
import type { OnnxNode } from '../../src/formats/onnx.ts';
import { createGraph } from '../../src/graph/builder.ts';
import { castForEachReader } from '../../src/graph/own-casts.ts';
import { floatData, hostTensor, openSession } from '../../src/graph/session.ts';

const node = (type: string, inputs: string[], output: string): OnnxNode => {
  return { name: `${type} ${output}`, type, domain: '', inputs, outputs: [output], attributes: {} };
};

t.test('each reader of a weight has a cast of its own; casts of anything else stay', async (t) => {
  const nodes = [
    node('Cast', ['weight'], 'wide'),
    node('Gemm', ['x', 'wide'], 'y'),
    node('Cast', ['y'], 'double'),
    node('MatMul', ['double', 'wide'], 'z'),
  ];
  const changed = castForEachReader(nodes, new Set(['weight']));
  t.same(
    changed.map(({ type, inputs, outputs }) => [type, ...inputs, ...outputs]),
    [
      ['Cast', 'weight', 'wide_0'],
      ['Cast', 'weight', 'wide_1'],
      ['Gemm', 'x', 'wide_0', 'y'],
      ['Cast', 'y', 'double'],
      ['MatMul', 'double', 'wide_1', 'z'],
    ],
  );
  t.equal(new Set(changed.map(({ name }) => name)).size, changed.length, 'no name twice');
});

t.test('a graph computes the same with them', async (t) => {
  const results = [];
  for (const castForEachReader of [false, true]) {
    const graph = createGraph();
    const x = graph.input('x', [1, 2], 'float32');
    const wide = graph.cast(graph.constant([1, 2, 3, 4], [2, 2], 'int32'), 'float32');
    graph.output(graph.matmul(graph.matmul(x, wide), wide), 'y');
    const session = await openSession(graph.build({ castForEachReader }));
    results.push(floatData(await session.run({ x: hostTensor(Float32Array.of(5, 6), [1, 2]) }), 'y'));
    await session.release();
  }
  t.same(results, [Float32Array.of(125, 182), Float32Array.of(125, 182)]);
});
