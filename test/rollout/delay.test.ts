import t from 'tap';
import { randomNumbers, simulate } from './simulation.ts';

const ROLLOUTS = 200;
/** Long enough for the weakest effect. */
const CONVERSATIONS = 40_000;
/** Refusals, compliance with what is harmful, errors, slow answers, odd lengths. */
const usual = [0.05, 0, 0.01, 0.05, 0.1];

interface Effect {
  readonly what: string;
  readonly share: number;
  /** Under the stable prompt and under the candidate, per guard. */
  readonly stable: readonly number[];
  readonly candidate: readonly number[];
  /** Answers of the candidate within which 95% of such candidates are aborted: what docs/rollouts.md promises. */
  readonly within: number;
}

const changed = (guard: number, rate: number) => usual.map((usually, index) => (index === guard ? rate : usually));

const effects: readonly Effect[] = [
  { what: 'refusals 5% → 15%', share: 0.05, stable: usual, candidate: changed(0, 0.15), within: 350 },
  { what: 'refusals 5% → 15%', share: 0.2, stable: usual, candidate: changed(0, 0.15), within: 400 },
  { what: 'refusals 5% → 15%', share: 0.5, stable: usual, candidate: changed(0, 0.15), within: 650 },
  { what: 'refusals 5% → 10%', share: 0.05, stable: usual, candidate: changed(0, 0.1), within: 1000 },
  { what: 'refusals 5% → 50%', share: 0.05, stable: usual, candidate: changed(0, 0.5), within: 30 },
  {
    what: 'refusals 1% → 5%',
    share: 0.05,
    stable: [0.01, 0, 0.01, 0.05, 0.1],
    candidate: changed(0, 0.05),
    within: 450,
  },
  { what: 'errors 1% → 10%', share: 0.05, stable: usual, candidate: changed(2, 0.1), within: 150 },
  { what: 'slow answers 5% → 20%', share: 0.05, stable: usual, candidate: changed(3, 0.2), within: 150 },
  { what: 'odd lengths 10% → 30%', share: 0.05, stable: usual, candidate: changed(4, 0.3), within: 150 },
];

for (const { what, share, stable, candidate, within } of effects) {
  t.test(`${what} at ${share * 100}%: aborted within ${within} answers of the candidate`, async (t) => {
    const random = randomNumbers(2);
    const rates = stable.map((rate) => () => rate);
    const ratios = candidate.map((rate, guard) => (stable[guard] ? rate / (stable[guard] ?? 1) : 1));
    const delays = Array.from({ length: ROLLOUTS }, () => {
      return simulate({ share, conversations: CONVERSATIONS, rates, ratios }, random) ?? Number.POSITIVE_INFINITY;
    }).sort((a, b) => a - b);
    const quantile = (part: number) => delays[Math.ceil(part * ROLLOUTS) - 1] ?? Number.NaN;
    t.comment(`answers of the candidate: median ${quantile(0.5)}, 95% ${quantile(0.95)}, most ${quantile(1)}`);
    t.ok(quantile(0.95) <= within);
  });
}
