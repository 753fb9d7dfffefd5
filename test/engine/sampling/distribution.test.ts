import t from 'tap';
import { createSampler } from '../../../src/engine/sampling/sampler.ts';
import { parameters } from './parameters.ts';

const DRAWS = 200_000;
const logits = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i * 1.7) * 2 - i * 0.05);

/** Probabilities that follow from the definition, by way of a plain sort. */
function analytic(temperature: number, keep: (rank: number, before: number, relative: number) => boolean): number[] {
  const weights = [...logits].map((logit) => Math.exp(logit / temperature));
  const total = weights.reduce((a, b) => a + b);
  const order = weights.map((_, i) => i).sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0));
  const largest = weights[order[0] ?? 0] ?? 1;
  let before = 0;
  const kept = new Set<number>();
  order.forEach((id, rank) => {
    if (keep(rank, before / total, (weights[id] ?? 0) / largest)) kept.add(id);
    before += weights[id] ?? 0;
  });
  const mass = [...kept].reduce((sum, id) => sum + (weights[id] ?? 0), 0);
  return weights.map((weight, id) => (kept.has(id) ? weight / mass : 0));
}

/** Probabilities of more than this chi-square, by degrees of freedom, are under 0.001 (Wilson and Hilferty's approximation). */
function critical(degrees: number): number {
  const a = 2 / (9 * degrees);
  return degrees * (1 - a + 3.09 * Math.sqrt(a)) ** 3;
}

const cases = [
  { name: 'temperature 1', changes: {}, expected: analytic(1, () => true) },
  { name: 'temperature 0.6', changes: { temperature: 0.6 }, expected: analytic(0.6, () => true) },
  { name: 'temperature 2', changes: { temperature: 2 }, expected: analytic(2, () => true) },
  { name: 'top_k 5', changes: { topK: 5 }, expected: analytic(1, (rank) => rank < 5) },
  { name: 'top_p 0.8', changes: { topP: 0.8 }, expected: analytic(1, (_, before) => before < 0.8) },
  { name: 'min_p 0.1', changes: { minP: 0.1 }, expected: analytic(1, (_r, _b, relative) => relative >= 0.1) },
];

for (const { name, changes, expected } of cases) {
  t.test(`${name}: frequencies of draws fit the probabilities (chi-square, p > 0.001, fixed seed)`, async (t) => {
    const sampler = createSampler(parameters({ ...changes, seed: 20260501 }), logits.length, null);
    const counts = new Array<number>(logits.length).fill(0);
    const output: number[] = [];
    for (let draw = 0; draw < DRAWS; draw++) {
      const { tokenId } = sampler.next(logits, [], output);
      counts[tokenId] = (counts[tokenId] ?? 0) + 1;
      output.push(tokenId);
    }
    const kept = expected.flatMap((probability, id) =>
      probability > 0 ? [{ probability, count: counts[id] ?? 0 }] : [],
    );
    const outside = counts.filter((count, id) => count > 0 && expected[id] === 0);
    t.strictSame(outside, [], 'nothing outside the kept set');
    const chiSquare = kept.reduce(
      (sum, { probability, count }) => sum + (count - DRAWS * probability) ** 2 / (DRAWS * probability),
      0,
    );
    t.ok(chiSquare < critical(kept.length - 1), `chi-square ${chiSquare.toFixed(1)} of ${kept.length - 1} degrees`);
  });
}
