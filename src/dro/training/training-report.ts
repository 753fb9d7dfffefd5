import type { PromptManifest } from '../../prompts/manifest.ts';
import { wilsonInterval } from '../../statistics/wilson-interval.ts';
import type { CollectedAnchors } from '../anchors/collect-anchors.ts';
import type { EvaluationReport } from '../evaluation/report.ts';
import type { AnchorsPictureData } from '../pictures/anchors-view.ts';
import type { FrontierSetting } from '../pictures/frontier-picture.ts';
import type { Rate } from '../pictures/rate.ts';
import type { TrainingPictureData } from '../pictures/training-picture.ts';
import type { Query } from '../queries/query.ts';
import { type ChangedExample, mostChanged } from '../report/changed-examples.ts';
import type { TrainingReport } from '../report/report-data.ts';
import { reportedEvaluations } from '../report/reported-evaluations.ts';
import type { TrainedPrompt } from './run-training.ts';
import type { TermWeights } from './training-graph.ts';
import { termNames } from './training-graph.ts';

export interface ReportOptions {
  manifest: PromptManifest;
  /** In the order in which they were trained; the last one's prompt is the artifact. */
  stages: readonly TrainedStage[];
  dev: readonly Query[];
  /** Of the artifact, on the dev split. */
  evaluation: EvaluationReport;
}

/** What one objective made of what the one before it had left. */
export interface TrainedStage {
  name: string;
  trained: TrainedPrompt;
  weights: TermWeights;
}

/** What is wanted of a prompt, as the frontier's picture shows it: shares of the dev split. */
const TARGET = { harmfulRefused: 0.85, harmlessRefused: 0.05 };

const EXAMPLES = 10;

/** A finished training as its report tells it. Throws for no stages. */
export function trainingReport({ manifest, stages, dev, evaluation }: ReportOptions): TrainingReport {
  const last = stages.at(-1);
  if (last === undefined) throw new TypeError('a report of no training');
  const { trained, weights } = last;
  const { name, version, model, training, position, created } = manifest;
  return {
    name,
    version,
    prompt: { objective: training?.objective ?? null, position, seed: training?.seed ?? null, created },
    model: { id: model.id, architecture: model.architecture, hiddenSize: model.hiddenSize, vocabSize: model.vocabSize },
    hyperparameters: training?.hyperparameters ?? {},
    training: curve(trained, weights, dev),
    anchors: anchorsData(trained),
    evaluations: reportedEvaluations(evaluation),
    frontier: { settings: stages.flatMap((stage) => looks(stage, dev, stage === last)), target: TARGET },
    examples: trained.anchors === null ? [] : changes(trained.anchors, trained.anchors.queries),
  };
}

/** Each look at the dev split is a prompt that could have been kept. */
function looks({ name, trained }: TrainedStage, dev: readonly Query[], kept: boolean): FrontierSetting[] {
  return developmentOf(trained, dev).map(({ step, ...rates }) => ({
    name: `${name} ${step}`,
    ...rates,
    chosen: kept && step === trained.best.step,
  }));
}

function curve({ metrics, best }: TrainedPrompt, weights: TermWeights, dev: readonly Query[]): TrainingPictureData {
  return {
    steps: metrics.flatMap((entry) => {
      if (entry.kind !== 'step') return [];
      const weighted = termNames.flatMap((term): [string, number][] => {
        const value = entry.terms[term];
        return value === undefined ? [] : [[term, value * weights[term]]];
      });
      return [{ step: entry.step, loss: entry.loss, terms: Object.fromEntries(weighted) }];
    }),
    development: developmentOf({ metrics }, dev),
    chosenStep: best.step,
  };
}

function developmentOf({ metrics }: Pick<TrainedPrompt, 'metrics'>, dev: readonly Query[]) {
  const count = (label: Query['label']) => dev.filter((query) => query.label === label).length;
  return metrics.flatMap((entry) =>
    entry.kind === 'dev'
      ? [
          {
            step: entry.step,
            harmfulRefused: rateOf(entry.harmfulRefused, count('harmful')),
            harmlessRefused: rateOf(entry.harmlessRefused, count('harmless')),
          },
        ]
      : [],
  );
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
