import t from 'tap';
import { createKeyValueCache } from '../../src/engine/key-value-cache.ts';

const shape = { layers: 2, kvHeads: 2, headDim: 3 };

/** Recognisable outputs of a step, `[batch, kvHeads, positions, headDim]` a layer. */
function fresh(batch: number, positions: number, tag: number): Float32Array[] {
  const size = batch * shape.kvHeads * positions * shape.headDim;
  return Array.from({ length: shape.layers }, (_, layer) =>
    Float32Array.from({ length: size }, (_, index) => tag + layer * 1000 + index / 1000),
  );
}

t.test('what is appended is what the next step sees, across growth', async (t) => {
  const cache = createKeyValueCache(shape, 2);
  for (let step = 0; step < 300; step++) cache.append(1, fresh(2, 1, step), fresh(2, 1, -step), 1, 1);
  t.equal(cache.length(1), 300);
  const { keys, values, capacity } = cache.view(1, 1);
  t.ok(capacity >= 364, 'spare positions stand behind the longest row');
  for (const [step, head] of [
    [0, 0],
    [127, 1],
    [299, 1],
  ] as const) {
    const at = (head * capacity + step) * shape.headDim;
    const source = fresh(2, 1, step)[1]?.subarray(
      (shape.kvHeads + head) * shape.headDim,
      (shape.kvHeads + head + 1) * shape.headDim,
    );
    t.strictSame(keys[1]?.subarray(at, at + shape.headDim), source);
    t.equal(values[0]?.[at], Math.fround(-step + ((shape.kvHeads + head) * shape.headDim) / 1000));
  }
});

t.test('a moved row is the same row elsewhere', async (t) => {
  const cache = createKeyValueCache(shape, 3);
  cache.append(2, fresh(1, 5, 7), fresh(1, 5, 8), 0, 5);
  const before = cache.snapshot(2);
  cache.move(2, 0);
  t.equal(cache.length(2), 0);
  t.strictSame(cache.snapshot(0), before);
});

t.test('a snapshot restores into another row and does not change with its source', async (t) => {
  const cache = createKeyValueCache(shape, 2);
  cache.append(0, fresh(1, 4, 1), fresh(1, 4, 2), 0, 4);
  const taken = cache.snapshot(0);
  cache.clear(0);
  cache.append(0, fresh(1, 2, 9), fresh(1, 2, 9), 0, 2);
  cache.restore(1, taken);
  t.strictSame(cache.snapshot(1), taken);
  t.equal(taken.bytes, 4 * 2 * shape.layers * shape.kvHeads * 4 * shape.headDim);
});

t.test('an empty cache gives back what a long sequence took', async (t) => {
  const cache = createKeyValueCache(shape, 1);
  const atFirst = cache.view(0, 1).capacity;
  cache.append(0, fresh(1, 1000, 1), fresh(1, 1000, 1), 0, 1000);
  t.ok(cache.view(0, 1).capacity > 1000);
  cache.clear(0);
  t.equal(cache.view(0, 1).capacity, atFirst);
});
