interface AdamWOptions {
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Decoupled decay, applied as p ← p (1 − lr · decay). */
  weightDecay: number;
}

/** PyTorch's defaults, apart from the decay: a soft prompt has no scale to be kept small. */
const adamWDefaults: AdamWOptions = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

/** What the optimiser remembers between steps; plain data, so that a checkpoint can hold it. */
export interface AdamWState {
  /** Steps taken. */
  step: number;
  firstMoment: Float32Array;
  secondMoment: Float32Array;
}

export function initialAdamW(parameters: number): AdamWState {
  return { step: 0, firstMoment: new Float32Array(parameters), secondMoment: new Float32Array(parameters) };
}

/**
 * One step of AdamW (Loshchilov & Hutter, arXiv 1711.05101, algorithm 2), in place:
 *
 *   m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²
 *   p ← p − lr · λ p − lr · m̂ / (√v̂ + ε),  m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ)
 */
export function adamWStep(
  parameters: Float32Array,
  gradient: Float32Array,
  state: AdamWState,
  learningRate: number,
  options: Partial<AdamWOptions> = {},
): void {
  const { beta1, beta2, epsilon, weightDecay } = { ...adamWDefaults, ...options };
  state.step++;
  const { firstMoment, secondMoment, step } = state;
  const correction1 = 1 - beta1 ** step;
  const correction2 = 1 - beta2 ** step;
  for (const [index, g] of gradient.entries()) {
    const m = beta1 * (firstMoment[index] ?? 0) + (1 - beta1) * g;
    const v = beta2 * (secondMoment[index] ?? 0) + (1 - beta2) * g * g;
    firstMoment[index] = m;
    secondMoment[index] = v;
    const p = parameters[index] ?? 0;
    const decayed = p * (1 - learningRate * weightDecay);
    parameters[index] = decayed - (learningRate * (m / correction1)) / (Math.sqrt(v / correction2) + epsilon);
  }
}

/** Scales a gradient to at most `maximum` in norm, in place; returns the norm that it had. */
export function clipNorm(gradient: Float32Array, maximum: number): number {
  const norm = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0));
  if (norm > maximum) for (const [index, value] of gradient.entries()) gradient[index] = (value * maximum) / norm;
  return norm;
}
