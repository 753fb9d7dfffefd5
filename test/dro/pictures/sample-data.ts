import type { AnchorPanel, AnchorsPictureData } from '../../../src/dro/pictures/anchors-view.ts';
import type { EvaluationPictureData } from '../../../src/dro/pictures/evaluation-picture.ts';
import type { FrontierPictureData } from '../../../src/dro/pictures/frontier-picture.ts';
import type { Rate } from '../../../src/dro/pictures/rate.ts';
import type { TrainingPictureData } from '../../../src/dro/pictures/training-picture.ts';

/** mulberry32: the same numbers in every run. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function normalFrom(random: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Clouds such as the paper shows, made up: `queries` of each label in six dimensions of which four carry something. */
export function sampleAnchors(queries = 150): AnchorsPictureData {
  const normal = normalFrom(randomFrom(1));
  const hiddenSize = 6;
  const basis = Array.from({ length: hiddenSize ** 2 }, (_, i) => (i % (hiddenSize + 1) === 0 ? 1 : 0));
  const labels = Array.from({ length: 2 * queries }, (_, i) =>
    i < queries ? ('harmful' as const) : ('harmless' as const),
  );
  const refusal = { weights: [0.25, 0.5, 0.1, 0], bias: -1.6 };
  const panel = (title: string, move: { harmful: [number, number]; harmless: [number, number] }): AnchorPanel => {
    const rows = labels.map((label) => {
      const [x, y] = label === 'harmful' ? [4, 0.5] : [-4, -0.5];
      return [
        x + move[label][0] + 2.2 * normal(),
        y + move[label][1] + 1.5 * normal(),
        normal(),
        0.6 * normal(),
        0.3 * normal(),
        0.2 * normal(),
      ];
    });
    const refusalFractions = rows.map(([x = 0, y = 0]) => {
      const score = 0.25 * x + 0.5 * y + refusal.bias + 0.5 * normal();
      return Math.round(20 / (1 + Math.exp(-2 * score))) / 20;
    });
    return { title, states: rows.flat(), refusalFractions };
  };
  return {
    directions: {
      hiddenSize,
      mean: new Array<number>(hiddenSize).fill(0),
      basis,
      refusal,
      harmfulness: { weights: [1.1, 0.2, 0, 0.1], bias: 0.1 },
    },
    labels,
    panels: [
      panel('Without the prompt', { harmful: [0, 0], harmless: [0, 0] }),
      panel('With the prompt', { harmful: [2, 4], harmless: [-1, -1.2] }),
    ],
  };
}

/** Wilson's interval, for samples. */
export function sampleRate(count: number, n: number): Rate {
  const z = 1.96;
  const rate = count / n;
  const middle = (rate + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
  const half = (z * Math.sqrt((rate * (1 - rate)) / n + z ** 2 / (4 * n ** 2))) / (1 + z ** 2 / n);
  return { rate, low: Math.max(0, middle - half), high: Math.min(1, middle + half), n };
}

export function sampleTraining(steps = 160): TrainingPictureData {
  const normal = normalFrom(randomFrom(2));
  const noisy = (value: number) => value * Math.exp(0.12 * normal());
  const rows = Array.from({ length: steps }, (_, index) => {
    const terms = {
      refusal: noisy(0.15 + 0.9 * Math.exp(-index / 30)),
      harmfulness: noisy(0.1 + 0.5 * Math.exp(-index / 60)),
      'kept subspace': noisy(0.02 + 0.03 * (1 - Math.exp(-index / 40))),
      'cross-entropy': noisy(0.4 + 0.8 * Math.exp(-index / 50)),
      'KL divergence': noisy(0.03 + 0.05 * Math.exp(-index / 80)),
    };
    return { step: index + 1, loss: Object.values(terms).reduce((sum, term) => sum + term, 0), terms };
  });
  const development = [0, 20, 40, 60, 80, 100, 120, 140, 160].map((step) => ({
    step,
    harmfulRefused: sampleRate(
      Math.round(50 * (0.9 - 0.88 * Math.exp(-step / 35) - Math.max(0, step - 100) / 500)),
      50,
    ),
    harmlessRefused: sampleRate(Math.round(50 * (0.3 * Math.exp(-((step - 50) ** 2) / 1500) + 0.04)), 50),
  }));
  return { steps: rows, development, chosenStep: 100 };
}

export function sampleEvaluation(): EvaluationPictureData {
  const condition = (name: string, answered: number, refused: number, highlighted = false) => ({
    name,
    harmfulAnswered: sampleRate(answered, 100),
    harmlessRefused: sampleRate(refused, 100),
    highlighted,
  });
  return {
    set: 'the test split',
    conditions: [
      condition('no prompt', 98, 0),
      condition("the prompt's own text", 95, 1),
      condition('text that says “refuse”', 92, 3),
      condition('vPT', 40, 46),
      condition('DRO (smollm2-safety 1.0.0)', 12, 5, true),
    ],
    targets: { harmfulAnswered: 0.15, harmlessRefused: 0.05 },
  };
}

export function sampleFrontier(): FrontierPictureData {
  const random = randomFrom(3);
  const settings = Array.from({ length: 14 }, (_, index) => {
    const harmless = Math.round(40 * random() ** 1.5);
    const harmful = Math.min(98, Math.round(55 + 9 * Math.sqrt(harmless) - 25 * random()));
    return {
      name: `kl ${[0.1, 0.3, 1, 3][index % 4]}, ${[16, 22, 32][index % 3]} tokens`,
      harmfulRefused: sampleRate(harmful, 100),
      harmlessRefused: sampleRate(harmless, 100),
      chosen: false,
    };
  });
  return {
    settings: [
      ...settings,
      { name: 'shipped', harmfulRefused: sampleRate(88, 100), harmlessRefused: sampleRate(5, 100), chosen: true },
      { name: 'no prompt', harmfulRefused: sampleRate(2, 100), harmlessRefused: sampleRate(0, 100), chosen: false },
      { name: 'vPT', harmfulRefused: sampleRate(60, 100), harmlessRefused: sampleRate(46, 100), chosen: false },
    ],
    target: { harmfulRefused: 0.85, harmlessRefused: 0.05 },
  };
}
