import type { Rate } from '../dro/pictures/rate.ts';
import type { DevelopmentMeasure, TrainingPictureData, TrainingPictureStep } from '../dro/pictures/training-picture.ts';
import type { PromptManifest } from '../prompts/manifest.ts';
import { wilsonInterval } from '../statistics/wilson-interval.ts';

type Training = NonNullable<PromptManifest['training']>;
type Point = Training['curve'][number];

/** More than a picture has pixels across; smoothing 100,000 would keep answers waiting. */
const MAX_STEPS = 1_000;
/** What the dev split's figures are named in a curve; `preamble train` writes them. */
const DEVELOPMENT = ['harmfulRefused', 'harmlessRefused'] as const;
const WEIGHT = 'weight.';

/**
 * A manifest's curve as it is drawn: terms of the loss that its hyperparameters give a weight, and what was refused on the dev split. Null where nothing
 * can be drawn. `stride`: so many steps are drawn as one of them.
 */
export function curveOf({ curve, hyperparameters }: Training): { data: TrainingPictureData; stride: number } | null {
  const steps = curve.flatMap((point) => stepOf(point, hyperparameters) ?? []);
  const development = curve.flatMap((point) => developmentOf(point) ?? []);
  if (steps.length + development.length === 0) return null;
  const stride = Math.max(1, Math.ceil(steps.length / MAX_STEPS));
  const chosen = hyperparameters['bestStep'];
  return {
    data: {
      steps: steps.filter((_, index) => index % stride === 0),
      development: development.slice(0, MAX_STEPS),
      chosenStep: typeof chosen === 'number' ? chosen : null,
    },
    stride,
  };
}

function stepOf(point: Point, hyperparameters: Training['hyperparameters']): TrainingPictureStep | null {
  const { step, loss } = point;
  if (step === undefined || loss === undefined) return null;
  const terms = Object.entries(point).flatMap(([name, value]): [string, number][] => {
    const weight = hyperparameters[WEIGHT + name];
    return typeof weight === 'number' ? [[name, value * weight]] : [];
  });
  return { step, loss, terms: Object.fromEntries(terms) };
}

function developmentOf(point: Point): DevelopmentMeasure | null {
  const [harmful, harmless] = DEVELOPMENT.map((name) => point[name]);
  if (point['step'] === undefined || harmful === undefined || harmless === undefined) return null;
  return {
    step: point['step'],
    harmfulRefused: rateOf(harmful, point['harmfulQueries']),
    harmlessRefused: rateOf(harmless, point['harmlessQueries']),
  };
}

/** Without the number of queries nothing is known of the interval: it is left out. */
function rateOf(rate: number, n = 0): Rate {
  if (rate < 0 || rate > 1) return { rate: Number.NaN, low: Number.NaN, high: Number.NaN, n };
  const [low, high] = n > 0 ? wilsonInterval(rate, n) : [rate, rate];
  return { rate, low, high, n };
}
