import type { AnchorsPictureData } from '../pictures/anchors-view.ts';
import type { EvaluatedCondition, EvaluationPictureData } from '../pictures/evaluation-picture.ts';
import type { FrontierPictureData } from '../pictures/frontier-picture.ts';
import type { TrainingPictureData } from '../pictures/training-picture.ts';
import type { ChangedExample } from './changed-examples.ts';

/** Names and values, in the order in which they are shown. */
export type Facts = Readonly<Record<string, string | number | boolean | null>>;

export interface ReportedCondition extends EvaluatedCondition {
  /** Further columns, by heading: partial refusals, repetition, perplexity, … */
  measures: Readonly<Record<string, string | number>>;
}

export interface ReportedEvaluation extends EvaluationPictureData {
  conditions: readonly ReportedCondition[];
  /** How answers were made and judged; one sentence. */
  protocol: string;
}

/** All that a training report tells. What was not done is null or empty, and its section is left out. */
export interface TrainingReport {
  /** The artifact's name and version. */
  name: string;
  version: string;
  /** Objective, start, queries, seed, steps, date, …: what was trained. */
  prompt: Facts;
  model: Facts;
  hyperparameters: Facts;
  training: TrainingPictureData | null;
  anchors: AnchorsPictureData | null;
  evaluations: readonly ReportedEvaluation[];
  frontier: FrontierPictureData | null;
  examples: readonly ChangedExample[];
}
