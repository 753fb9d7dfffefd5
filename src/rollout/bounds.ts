/** Lanczos' approximation with g = 7 and 9 terms: 15 digits for x > 0.5 (Godfrey's coefficients). */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const;
const LANCZOS_G = 7;
/** Halvings of [0, 1]: finer than any rate is printed. */
const STEPS = 40;

export interface Bounds {
  readonly low: number;
  readonly high: number;
}

/**
 * Where the rate behind `k` of `n` lies, with probability 1 - alpha for all n at once: every p at which the mixture of likelihoods over Jeffreys' prior,
 *
 *   B(k + ½, n - k + ½) / B(½, ½)  divided by  p^k (1 - p)^(n - k),
 *
 * stays below 1/alpha (Robbins 1970; Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences",
 * Annals of Statistics 2021). One may look as often as one likes.
 */
export function rateBounds(k: number, n: number, alpha: number): Bounds {
  if (n === 0) return { low: 0, high: 1 };
  const mixture = logBeta(k + 0.5, n - k + 0.5) - logBeta(0.5, 0.5);
  const limit = Math.log(1 / alpha);
  const isIn = (p: number) => mixture - times(k, Math.log(p)) - times(n - k, Math.log1p(-p)) < limit;
  const rate = k / n;
  return { low: edge(rate, 0, isIn), high: edge(rate, 1, isIn) };
}

/** The set is an interval around k/n, as the likelihood has one peak. */
function edge(inside: number, outside: number, isIn: (p: number) => boolean): number {
  if (isIn(outside)) return outside;
  let [near, far] = [inside, outside];
  for (let step = 0; step < STEPS; step++) {
    const middle = (near + far) / 2;
    if (isIn(middle)) near = middle;
    else far = middle;
  }
  return far;
}

/** 0 times minus infinity is 0 here: what did not happen has no likelihood to lower. */
function times(count: number, log: number): number {
  return count === 0 ? 0 : count * log;
}

function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

export function logGamma(x: number): number {
  const z = x - 1;
  const [first, ...rest] = LANCZOS;
  const sum = rest.reduce((total: number, coefficient, index) => total + coefficient / (z + index + 1), first);
  const t = z + LANCZOS_G + 0.5;
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum);
}
