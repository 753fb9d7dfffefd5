import t from 'tap';
import { gradient } from '../../../src/graph/autodiff.ts';
import { createGraph } from '../../../src/graph/builder.ts';
import { operations } from '../../../src/graph/operations.ts';
import { operationCases } from '../support/operation-cases.ts';

t.test('every operation without a rule says why', (t) => {
  for (const [name, { vjp }] of Object.entries(operations)) {
    if (typeof vjp === 'function') continue;
    t.match(vjp.notDifferentiable, /\w+ \w+/, name);
    t.match(operationCases, { [name]: { elsewhere: 'not-differentiable.test.ts' } });
  }
  t.end();
});

t.test('asking for a gradient through one names it and the reason', (t) => {
  const graph = createGraph();
  const x = graph.input('x', [4], 'float32', { requiresGrad: true });
  const loss = graph.sum(graph.max(graph.exp(x), [0], true), [0]);
  t.throws(() => gradient(graph, loss, [x]), /no derivative of ReduceMax: the largest element may not be unique/);
  t.end();
});

t.test('what only passes through detach or an index gets no gradient', (t) => {
  const graph = createGraph();
  const x = graph.input('x', [4], 'float32', { requiresGrad: true });
  const chosen = graph.cast(graph.argMax(x, 0), 'float32');
  const loss = graph.add(graph.sum(graph.detach(x), [0]), chosen);
  t.throws(() => gradient(graph, loss, [x]), /the loss does not depend on x/);
  t.end();
});

t.test('a loss that is not a scalar is refused', (t) => {
  const graph = createGraph();
  const x = graph.input('x', [4], 'float32', { requiresGrad: true });
  t.throws(() => gradient(graph, graph.exp(x), [x]), /scalar/);
  t.end();
});
