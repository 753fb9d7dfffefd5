import fc from 'fast-check';
import t from 'tap';
import { elementCount } from '../../../src/graph/tensor.ts';
import { analyticGradients, numericGradients, randomValues, relativeError } from '../support/gradients.ts';
import { operationCases } from '../support/operation-cases.ts';

const TOLERANCE = 1e-6;
const RUNS = 8;
const size = fc.integer({ min: 1, max: 4 });

for (const [name, gradientCase] of Object.entries(operationCases)) {
  if ('elsewhere' in gradientCase) continue;
  t.test(`${name}: the rule agrees with central differences`, async (t) => {
    const [low, high] = gradientCase.positive ? [0.5, 2] : [-1.5, 1.5];
    let largest = 0;
    await fc.assert(
      fc.asyncProperty(fc.record({ a: size, b: size, c: size }), fc.nat(), async (sizes, seed) => {
        const inputs = gradientCase
          .shapes(sizes)
          .map((shape, index) => ({ shape, values: randomValues(elementCount(shape), seed + index, low, high) }));
        const build: Parameters<typeof analyticGradients>[1] = (graph, tensors) =>
          gradientCase.build(graph, tensors, sizes);
        const error = relativeError(await analyticGradients(inputs, build), await numericGradients(inputs, build));
        largest = Math.max(largest, error);
        return error < TOLERANCE;
      }),
      { numRuns: RUNS },
    );
    t.ok(largest < TOLERANCE, `largest relative error ${largest.toExponential(1)}`);
  });
}
