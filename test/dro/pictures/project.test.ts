import fc from 'fast-check';
import t from 'tap';
import { clipLine, explainedVariance, probeLine, projectStates } from '../../../src/dro/pictures/project.ts';

const directions = {
  hiddenSize: 3,
  mean: [1, 2, 3],
  // The second axis first.
  basis: [0, 1, 0, -1, 0, 0, 0, 0, 1],
  refusal: { weights: [1, 1], bias: 0 },
  harmfulness: { weights: [1, 1], bias: 0 },
};

t.test('states are centred and turned into the basis, as many dimensions as are asked for', async (t) => {
  t.strictSame(projectStates(directions, [1, 2, 3, 2, 5, 9], 2), [
    [0, 0],
    [3, -1],
  ]);
  t.strictSame(projectStates(directions, new Float32Array([2, 5, 9]), 3), [[3, -1, 6]]);
});

t.test('the shares of the variance are those along each axis', async (t) => {
  const states = [1, 2, 3, 1, 6, 3, 3, 2, 3, 3, 6, 3];
  const shares = explainedVariance(directions, [states], projectStates(directions, states, 2));
  t.strictSame(
    shares.map((share) => share.toFixed(6)),
    ['0.800000', '0.200000'],
  );
  t.ok(explainedVariance(directions, [[1, 2, 3]], [[0, 0]]).every(Number.isNaN), 'one state has no variance');
});

t.test('a probe in four dimensions is cut at the centre of the other two', async (t) => {
  t.strictSame(probeLine({ weights: [3, 4, 3, 4], bias: 5 }, [9, 9, 10, 100]), {
    a: 0.6,
    b: 0.8,
    c: (5 + 30 + 400) / 5,
  });
});

t.test('the piece of a line within a rectangle lies on it and reaches from edge to edge', async (t) => {
  const coefficient = fc
    .double({ min: -5, max: 5, noNaN: true })
    .filter((value) => value === 0 || Math.abs(value) > 0.01);
  const extent = { x: [-3, 5], y: [-2, 1] } as const;
  const isOnEdge = (value: number, [low, high]: readonly [number, number]) =>
    Math.min(Math.abs(value - low), Math.abs(value - high)) < 1e-6;
  const isWithin = (value: number, [low, high]: readonly [number, number]) => value > low - 1e-6 && value < high + 1e-6;
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(coefficient, coefficient, coefficient, (a, b, c) => {
        const piece = clipLine({ a, b, c }, extent);
        const corners = extent.x.flatMap((x) => extent.y.map((y) => Math.sign(a * x + b * y + c)));
        if (piece === null) return (a === 0 && b === 0) || !(corners.includes(1) && corners.includes(-1));
        return piece.every(
          ({ x, y }) =>
            Math.abs(a * x + b * y + c) < 1e-6 &&
            isWithin(x, extent.x) &&
            isWithin(y, extent.y) &&
            (isOnEdge(x, extent.x) || isOnEdge(y, extent.y)),
        );
      }),
      { numRuns: 500 },
    ),
  );
});
