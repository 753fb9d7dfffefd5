import type { PromptManifest } from '../../prompts/manifest.ts';
import { wilsonInterval } from '../../statistics/wilson-interval.ts';
import type { CollectedAnchors } from '../anchors/collect-anchors.ts';
import type { AnchorsPictureData } from '../pictures/anchors-view.ts';
import type { Rate } from '../pictures/rate.ts';
import type { TrainingPictureData } from '../pictures/training-picture.ts';
import type { Query } from '../queries/query.ts';
import { type ChangedExample, mostChanged } from '../report/changed-examples.ts';
import type { TrainingReport } from '../report/report-data.ts';
import type { TrainedPrompt } from './run-training.ts';
import type { TermWeights } from './training-graph.ts';
import { termNames } from './training-graph.ts';

export interface ReportOptions {
  manifest: PromptManifest;
  trained: TrainedPrompt;
  weights: TermWeights;
  dev: readonly Query[];
}

const EXAMPLES = 10;

/** A finished training as its report tells it. */
export function trainingReport({ manifest, trained, weights, dev }: ReportOptions): TrainingReport {
  const { name, version, model, training, position, created } = manifest;
  return {
    name,
    version,
    prompt: { objective: training?.objective ?? null, position, seed: training?.seed ?? null, created },
    model: { id: model.id, architecture: model.architecture, hiddenSize: model.hiddenSize, vocabSize: model.vocabSize },
    hyperparameters: training?.hyperparameters ?? {},
    training: curve(trained, weights, dev),
    anchors: anchorsData(trained),
    evaluations: [],
    frontier: null,
    examples: trained.anchors === null ? [] : changes(trained.anchors, trained.anchors.queries),
  };
}

function curve({ metrics, best }: TrainedPrompt, weights: TermWeights, dev: readonly Query[]): TrainingPictureData {
  const count = (label: Query['label']) => dev.filter((query) => query.label === label).length;
  return {
    steps: metrics.flatMap((entry) => {
      if (entry.kind !== 'step') return [];
      const weighted = termNames.flatMap((term): [string, number][] => {
        const value = entry.terms[term];
        return value === undefined ? [] : [[term, value * weights[term]]];
      });
      return [{ step: entry.step, loss: entry.loss, terms: Object.fromEntries(weighted) }];
    }),
    development: metrics.flatMap((entry) =>
      entry.kind === 'dev'
        ? [
            {
              step: entry.step,
              harmfulRefused: rateOf(entry.harmfulRefused, count('harmful')),
              harmlessRefused: rateOf(entry.harmlessRefused, count('harmless')),
            },
          ]
        : [],
    ),
    chosenStep: best.step,
  };
}

function rateOf(rate: number, n: number): Rate {
  const [low, high] = wilsonInterval(rate, n);
  return { rate, low, high, n };
}

/** Null where the objective needs no anchors. */
export function anchorsData({ anchors, directions }: TrainedPrompt): AnchorsPictureData | null {
  if (anchors === null || directions === null) return null;
  const [first] = anchors.sets;
  const last = anchors.sets.at(-1);
  if (first === undefined || last === undefined) return null;
  return {
    directions,
    labels: anchors.queries.map(({ label }) => label),
    panels: [
      { ...first, title: 'Under no prompt' },
      { ...last, title: 'Under the trained prompt' },
    ],
  };
}

/** From no prompt to the trained one. */
function changes({ sets }: CollectedAnchors, queries: readonly Query[]): ChangedExample[] {
  const [before] = sets;
  const after = sets.at(-1);
  const outcome = (fraction: number) => ({
    decision: fraction > 0.5 ? 'refused' : 'complied',
    refusalFraction: fraction,
  });
  const all = queries.map(({ text, label }, index) => ({
    query: text,
    label,
    before: outcome(before?.refusalFractions[index] ?? 0),
    after: outcome(after?.refusalFractions[index] ?? 0),
  }));
  return mostChanged(all, EXAMPLES);
}
