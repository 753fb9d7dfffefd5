/** The normal distribution's quantile for two-sided 95%. */
export const Z_95 = 1.959963984540054;

/**
 * The 95% Wilson score interval (Wilson 1927) of a share p of n: (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n). Unlike p ± z·se it stays
 * within 0 and 1 and is honest at 0 of n. With n = 0 nothing is known: 0 to 1.
 */
export function wilsonInterval(p: number, n: number): [low: number, high: number] {
  if (n === 0) return [0, 1];
  const middle = p + Z_95 ** 2 / (2 * n);
  const margin = Z_95 * Math.sqrt((p * (1 - p)) / n + Z_95 ** 2 / (4 * n ** 2));
  const scale = 1 + Z_95 ** 2 / n;
  // rounding must not show 1e-17 where it is 0
  return [p === 0 ? 0 : Math.max(0, (middle - margin) / scale), p === 1 ? 1 : Math.min(1, (middle + margin) / scale)];
}
