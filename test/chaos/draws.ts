import { randomNumbers } from '../rollout/simulation.ts';

/** Random draws that a seed repeats. */
export interface Draws {
  /** From [0, 1). */
  fraction(): number;
  between(least: number, most: number): number;
  below(count: number): number;
  chance(probability: number): boolean;
  /** Throws for an empty list. */
  pick<Item>(items: readonly Item[]): Item;
}

export function drawsOf(seed: number): Draws {
  const fraction = randomNumbers(seed);
  const below = (count: number) => Math.floor(fraction() * count);
  return {
    fraction,
    below,
    between: (least, most) => least + fraction() * (most - least),
    chance: (probability) => fraction() < probability,
    pick(items) {
      const item = items[below(items.length)];
      if (item === undefined) throw new RangeError('nothing to pick from');
      return item;
    },
  };
}
