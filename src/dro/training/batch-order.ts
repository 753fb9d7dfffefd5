import { choiceSeed, uniformAt } from '../../engine/sampling/random.ts';

export interface BatchOrderOptions {
  /** Indices of the rows of each label. */
  harmful: readonly number[];
  harmless: readonly number[];
  /** Rows a step; half of each label. */
  batch: number;
  seed: number;
}

/**
 * Which rows a step, counted from 1, is computed on: each label's rows one after the other in an order that is drawn anew each time all had
 * their turn. A pure function of the step, so that a resumed run goes on as the one that was cut off.
 */
export function batchOrder({ harmful, harmless, batch, seed }: BatchOrderOptions): (step: number) => number[] {
  const half = batch / 2;
  const draws = [drawing(harmful, choiceSeed(seed, 1)), drawing(harmless, choiceSeed(seed, 2))];
  return (step) => draws.flatMap((draw) => Array.from({ length: half }, (_, index) => draw((step - 1) * half + index)));
}

/** The `at`th of an endless sequence of shuffled passes through `rows`. */
function drawing(rows: readonly number[], seed: number): (at: number) => number {
  let pass = -1;
  let order: number[] = [];
  return (at) => {
    const wanted = Math.floor(at / rows.length);
    if (wanted !== pass) {
      const keys = rows.map((row, index) => ({ row, key: uniformAt(choiceSeed(seed, wanted + 1), index) }));
      order = keys.sort((left, right) => left.key - right.key).map(({ row }) => row);
      pass = wanted;
    }
    const row = order[at % rows.length];
    if (row === undefined) throw new RangeError('there are no rows to draw from');
    return row;
  };
}
