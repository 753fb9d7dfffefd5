/** What a label says when there are more label sets than are kept. */
const OTHER = 'other';

export type Labels = Readonly<Record<string, string>>;

/**
 * What is counted by sets of labels. Numbers in an object that is found by one key cost a tenth of a metric library's own counting by
 * labels (a microsecond each in prom-client 15, and a request has ten of them); so the library is only asked to print.
 */
export interface Series<Value> {
  readonly names: readonly string[];
  /** Found by the labels' values in the order of the names; what is new when no more fit is counted as `other`. */
  of(...values: string[]): Value;
  entries(): Iterable<readonly [Labels, Value]>;
}

/** `limit`: label sets that are kept, for the life of the process; one more for all the others. */
export function createSeries<Value>(names: readonly string[], limit: number, create: () => Value): Series<Value> {
  const kept = new Map<string, { readonly labels: Labels; readonly value: Value }>();
  let others: Value | null = null;

  return {
    names,
    of(...values) {
      // Names of models and prompts hold no line breaks; were there one, two sets would be counted as one.
      const key = values.join('\n');
      const known = kept.get(key);
      if (known !== undefined) return known.value;
      if (kept.size >= limit) {
        others ??= create();
        return others;
      }
      const value = create();
      kept.set(key, { labels: labelled(names, values), value });
      return value;
    },
    *entries() {
      for (const { labels, value } of kept.values()) yield [labels, value];
      if (others !== null) yield [labelled(names, []), others];
    },
  };
}

function labelled(names: readonly string[], values: readonly string[]): Labels {
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? OTHER]));
}
