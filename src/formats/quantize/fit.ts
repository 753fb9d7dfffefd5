/** Least squares of a few values on whole numbers: what a block of a quantised tensor is written from. */

/** Steps tried around the width that just holds the extremes. */
const TRIES = 20;
/** How far these go, in levels to either side: a few values cut off may be worth a finer step for all others. */
const REACH = 1;

export interface Line {
  /** x ≈ scale q - minimum, scale and minimum at least 0. */
  readonly scale: number;
  readonly minimum: number;
}

/** The line for which whole q from 0 to `most` leave the least Σ (x - scale q + minimum)². */
export function fitLine(values: Float32Array, most: number): Line {
  const low = values.reduce((least, value) => Math.min(least, value), 0);
  const high = values.reduce((largest, value) => Math.max(largest, value), low);
  let best: Line = { scale: (high - low) / most, minimum: -low };
  if (high === low) return best;
  let least = lineError(values, best, most);
  for (let step = 0; step <= TRIES; step++) {
    const levels = most + REACH * ((2 * step) / TRIES - 1);
    // once from the extremes, and once from what that gave
    let line: Line = { scale: (high - low) / levels, minimum: -low };
    for (let pass = 0; pass < 2; pass++) {
      line = regress(values, line, most);
      const error = lineError(values, line, most);
      if (error < least) {
        least = error;
        best = line;
      }
    }
  }
  return best;
}

/** Σ (x - x̂)² over the values as that line holds them. */
export function lineError(values: Float32Array, { scale, minimum }: Line, most: number): number {
  let error = 0;
  for (const value of values) error += (value - (scale * level(value, scale, minimum, most) - minimum)) ** 2;
  return error;
}

/** The q of a value: the nearest to (x + minimum) / scale from 0 to `most`. */
export function level(value: number, scale: number, minimum: number, most: number): number {
  return scale === 0 ? 0 : Math.min(most, Math.max(0, Math.round((value + minimum) / scale)));
}

/** Values regressed on the q that a line gives them: scale = cov(x, q) / var(q), minimum = scale q̄ - x̄, or 0 where that were negative. */
function regress(values: Float32Array, line: Line, most: number): Line {
  let [sumX, sumQ, sumXQ, sumQQ] = [0, 0, 0, 0];
  for (const value of values) {
    const q = level(value, line.scale, line.minimum, most);
    sumX += value;
    sumQ += q;
    sumXQ += value * q;
    sumQQ += q * q;
  }
  const count = values.length;
  const scale = (count * sumXQ - sumX * sumQ) / (count * sumQQ - sumQ * sumQ);
  const minimum = (scale * sumQ - sumX) / count;
  if (scale > 0 && minimum >= 0) return { scale, minimum };
  return sumXQ > 0 ? { scale: sumXQ / sumQQ, minimum: 0 } : line;
}

/** The scale, of either sign, for which whole l from -`half` to `half` - 1 leave the least Σ (x - scale l)². */
export function fitScale(values: Float32Array, half: number): number {
  const furthest = values.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
  // the side that has a level more is the one of the value furthest from zero
  let best = furthest / -half;
  if (furthest === 0) return best;
  let least = scaleError(values, best, half);
  for (let step = 0; step <= TRIES; step++) {
    let scale = furthest / -(half + REACH * ((2 * step) / TRIES - 1));
    for (let pass = 0; pass < 2; pass++) {
      let [sumXL, sumLL] = [0, 0];
      for (const value of values) {
        const l = signedLevel(value, scale, half);
        sumXL += value * l;
        sumLL += l * l;
      }
      if (sumLL === 0) break;
      scale = sumXL / sumLL;
      const error = scaleError(values, scale, half);
      if (error < least) {
        least = error;
        best = scale;
      }
    }
  }
  return best;
}

/** Σ (x - scale l)² over the values as that scale holds them. */
export function scaleError(values: Float32Array, scale: number, half: number): number {
  let error = 0;
  for (const value of values) error += (value - scale * signedLevel(value, scale, half)) ** 2;
  return error;
}

/** The l of a value: the nearest to x / scale from -`half` to `half` - 1. */
export function signedLevel(value: number, scale: number, half: number): number {
  return scale === 0 ? 0 : Math.min(half - 1, Math.max(-half, Math.round(value / scale)));
}
