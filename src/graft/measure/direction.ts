/** Of the mean eigenvalue of the states' second moments: less follows single states, more leaves those aside that lean little. */
const RIDGE = 0.1;
const MAX_STEPS = 200;
/** Of the residual, relative. */
const TOLERANCE = 1e-6;

/**
 * The unit vector u that all states lean towards most evenly: ridge regression of the constant 1 on the states,
 * (HᵀH + λI) u ∝ Hᵀ1, solved by conjugate gradients. `states` `[positions, width]`. The mean state would do for most; this one also holds where a
 * state is nearly orthogonal to the mean (SmolLM2: the least projection is 0.36 of the median, against -0.03).
 */
export function commonDirection(states: Float32Array, width: number): Float64Array {
  const positions = states.length / width;
  const squares = states.reduce((sum, value) => sum + value * value, 0);
  const lambda = (RIDGE * squares) / width;
  const solution = new Float64Array(width);
  const residual = transposed(states, width, new Float64Array(positions).fill(1));
  const direction = Float64Array.from(residual);
  let norm = dot(residual, residual);
  const enough = norm * TOLERANCE ** 2;
  for (let step = 0; step < MAX_STEPS && norm > enough; step++) {
    const image = transposed(states, width, projections(states, width, direction));
    for (let index = 0; index < width; index++) image[index] = at(image, index) + lambda * at(direction, index);
    const length = norm / dot(direction, image);
    for (let index = 0; index < width; index++) {
      solution[index] = at(solution, index) + length * at(direction, index);
      residual[index] = at(residual, index) - length * at(image, index);
    }
    const next = dot(residual, residual);
    for (let index = 0; index < width; index++) {
      direction[index] = at(residual, index) + (next / norm) * at(direction, index);
    }
    norm = next;
  }
  const size = Math.sqrt(dot(solution, solution));
  return solution.map((value) => (size === 0 ? 0 : value / size));
}

/** h · u of each state. `[positions]` */
export function projections(states: Float32Array, width: number, vector: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: states.length / width }, (_, position) => {
    const start = position * width;
    let sum = 0;
    for (let index = 0; index < width; index++) sum += at(states, start + index) * at(vector, index);
    return sum;
  });
}

/** Hᵀy */
function transposed(states: Float32Array, width: number, weights: Float64Array): Float64Array {
  const sums = new Float64Array(width);
  for (let position = 0, start = 0; position < weights.length; position++, start += width) {
    const weight = at(weights, position);
    for (let index = 0; index < width; index++) sums[index] = at(sums, index) + weight * at(states, start + index);
  }
  return sums;
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, index) => sum + value * at(b, index), 0);
}

function at(values: ArrayLike<number>, index: number): number {
  return values[index] ?? 0;
}
