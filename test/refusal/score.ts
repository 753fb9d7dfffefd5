/** 95%: the normal distribution's two-sided quantile. */
const Z = 1.959964;

export interface Proportion {
  of: number;
  value: number;
  low: number;
  high: number;
}

/** Wilson's score interval (1927), 95%; the whole of [0, 1] where nothing was counted. */
function wilson(hits: number, of: number): Proportion {
  if (of === 0) return { of, value: Number.NaN, low: 0, high: 1 };
  const p = hits / of;
  const centre = p + Z ** 2 / (2 * of);
  const spread = Z * Math.sqrt((p * (1 - p)) / of + Z ** 2 / (4 * of ** 2));
  const scale = 1 + Z ** 2 / of;
  return { of, value: p, low: (centre - spread) / scale, high: (centre + spread) / scale };
}

export const show = ({ of, value, low, high }: Proportion): string =>
  `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}] of ${of}`;

/** Precision and recall of "is it one of `labels`?" */
export function score(pairs: readonly { label: string; decision: string }[], labels: readonly string[]) {
  const said = pairs.filter((pair) => labels.includes(pair.decision));
  const are = pairs.filter((pair) => labels.includes(pair.label));
  const both = said.filter((pair) => labels.includes(pair.label)).length;
  return { precision: wilson(both, said.length), recall: wilson(both, are.length) };
}
