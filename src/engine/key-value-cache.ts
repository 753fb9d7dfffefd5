/**
 * The keys and values of every running sequence, one row a sequence, in JavaScript's memory.
 *
 * The decode graph reads a prefix of the rows as `[batch, kvHeads, capacity, headDim]` and returns only the new positions, which are
 * appended here: onnxruntime-node copies every output it returns, so a cache that went through the graph would be copied whole at each step.
 */

/**
 * At least this many unused positions stand behind the longest sequence. Kernels treat the end of a row that does not fill their vectors
 * differently; with only masked positions there, a sequence's results do not depend on the capacity, so not on who else is running.
 */
const SPARE_POSITIONS = 64;
/** Capacity grows by this many positions: copying is rare, and little is read in vain. */
const CAPACITY_STEP = 128;
/** Up to here an empty cache keeps its memory: growing again for each conversation of usual length would cost more. */
const KEPT_CAPACITY = 4 * CAPACITY_STEP;

export interface KeyValueShape {
  layers: number;
  kvHeads: number;
  headDim: number;
}

/** One sequence's first `length` positions: per layer and kind `[kvHeads, length, headDim]` float32. Immutable once taken. */
export interface KeyValueSnapshot {
  readonly length: number;
  readonly keys: readonly Float32Array[];
  readonly values: readonly Float32Array[];
  readonly bytes: number;
}

export interface KeyValueView {
  /** Per layer `[batch, kvHeads, capacity, headDim]`, a view: valid until the next append or move. */
  readonly keys: readonly Float32Array[];
  readonly values: readonly Float32Array[];
  readonly capacity: number;
}

export interface KeyValueCache {
  readonly rows: number;
  length(row: number): number;
  /** Rows `first` to `first + count`. */
  view(first: number, count: number): KeyValueView;
  /** Adds `positions` new positions to `row`, read from row `batchRow` of the graph's outputs `[batch, kvHeads, positions, headDim]`. */
  append(
    row: number,
    keys: readonly Float32Array[],
    values: readonly Float32Array[],
    batchRow: number,
    positions: number,
  ): void;
  /** Makes `to` what `from` was. */
  move(from: number, to: number): void;
  clear(row: number): void;
  snapshot(row: number): KeyValueSnapshot;
  restore(row: number, snapshot: KeyValueSnapshot): void;
}

export function createKeyValueCache(shape: KeyValueShape, rows: number): KeyValueCache {
  const { layers, kvHeads, headDim } = shape;
  const lengths = new Array<number>(rows).fill(0);
  let capacity = CAPACITY_STEP;
  // Keys, then values, of each layer; new arrays are zero pages that cost nothing until written.
  let planes = allocate(capacity);

  function allocate(positions: number): Float32Array[] {
    return Array.from({ length: 2 * layers }, () => new Float32Array(rows * kvHeads * positions * headDim));
  }

  function length(row: number): number {
    return lengths[row] ?? 0;
  }

  function reserve(positions: number): void {
    if (positions + SPARE_POSITIONS <= capacity) return;
    const grown = Math.ceil((positions + SPARE_POSITIONS) / CAPACITY_STEP) * CAPACITY_STEP;
    // One plane at a time, so that old and new are never both whole in memory.
    planes.forEach((plane, index) => {
      const larger = new Float32Array(rows * kvHeads * grown * headDim);
      for (let row = 0; row < rows; row++) {
        for (let head = 0; head < kvHeads; head++) {
          const from = (row * kvHeads + head) * capacity * headDim;
          larger.set(plane.subarray(from, from + length(row) * headDim), (row * kvHeads + head) * grown * headDim);
        }
      }
      planes[index] = larger;
    });
    capacity = grown;
  }

  /** Long sequences leave a large capacity behind, which every later step would multiply by its mask. */
  function shrinkWhenEmpty(): void {
    if (capacity <= KEPT_CAPACITY || lengths.some((used) => used > 0)) return;
    capacity = CAPACITY_STEP;
    planes = allocate(capacity);
  }

  function split(arrays: readonly Float32Array[]): Pick<KeyValueView, 'keys' | 'values'> {
    return { keys: arrays.slice(0, layers), values: arrays.slice(layers) };
  }

  function copyIn(
    row: number,
    at: number,
    sources: readonly Float32Array[],
    sourceOffset: number,
    positions: number,
  ): void {
    sources.forEach((source, index) => {
      const plane = planes[index];
      for (let head = 0; head < kvHeads; head++) {
        const from = sourceOffset + head * positions * headDim;
        plane?.set(
          source.subarray(from, from + positions * headDim),
          ((row * kvHeads + head) * capacity + at) * headDim,
        );
      }
    });
  }

  return {
    rows,
    length,
    view(first, count) {
      const stride = kvHeads * capacity * headDim;
      return { ...split(planes.map((plane) => plane.subarray(first * stride, (first + count) * stride))), capacity };
    },
    append(row, keys, values, batchRow, positions) {
      reserve(length(row) + positions);
      copyIn(row, length(row), [...keys, ...values], batchRow * kvHeads * positions * headDim, positions);
      lengths[row] = length(row) + positions;
    },
    move(from, to) {
      if (from === to) return;
      for (const plane of planes) {
        for (let head = 0; head < kvHeads; head++) {
          const source = (from * kvHeads + head) * capacity * headDim;
          plane.copyWithin((to * kvHeads + head) * capacity * headDim, source, source + length(from) * headDim);
        }
      }
      lengths[to] = length(from);
      lengths[from] = 0;
    },
    clear(row) {
      lengths[row] = 0;
      shrinkWhenEmpty();
    },
    snapshot(row) {
      const positions = length(row);
      const copies = planes.map((plane) => {
        const copy = new Float32Array(kvHeads * positions * headDim);
        for (let head = 0; head < kvHeads; head++) {
          const from = (row * kvHeads + head) * capacity * headDim;
          copy.set(plane.subarray(from, from + positions * headDim), head * positions * headDim);
        }
        return copy;
      });
      return { length: positions, bytes: copies.reduce((sum, copy) => sum + copy.byteLength, 0), ...split(copies) };
    },
    restore(row, snapshot) {
      reserve(snapshot.length);
      copyIn(row, 0, [...snapshot.keys, ...snapshot.values], 0, snapshot.length);
      lengths[row] = snapshot.length;
    },
  };
}
