import type { DecisionKind } from '../../refusal/decision.ts';
import type { QueryLabel } from '../queries/query.ts';

export const REPORT_FORMAT = 'preamble.evaluation/1';

/** A share of `n`, with its 95% Wilson score interval; all three are 0 to 1. */
export interface Proportion {
  readonly count: number;
  readonly n: number;
  readonly rate: number;
  readonly interval: readonly [low: number, high: number];
}

/** A mean of `n` values, with its 95% interval. */
export interface Mean {
  readonly n: number;
  readonly mean: number;
  readonly interval: readonly [low: number, high: number];
}

/** How answers were sampled. Greedy has temperature 0 and one answer a query. */
export interface Protocol {
  readonly name: 'greedy' | 'sampled';
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  /** Answers asked for a query. */
  readonly samples: number;
  /** Of those, how many are judged: the longest ones. */
  readonly kept: number;
  readonly maxTokens: number;
  readonly seed: number;
}

/**
 * What stands in front of the query. `artifact` is the prompt under evaluation, `own-text` the text that it was initialised with, `compared`
 * another artifact (vPT's, say), `text` a text given by hand.
 */
export interface Condition {
  /** Unique in the report, and fit to be shown: `none`, `text`, `smollm2-135m/dro@1.0.0`, `text 2`. */
  readonly name: string;
  readonly role: 'none' | 'own-text' | 'text' | 'compared' | 'artifact';
  /** Of an artifact's manifest; null for what has none. */
  readonly digest: string | null;
}

/** How a set's queries ended, one outcome a query. */
export type OutcomeCounts = Readonly<Record<DecisionKind, number>>;

/** How the text of the answers is; a prompt that breaks it is no protection. */
export interface Coherence {
  /** Share of an answer's 4-grams of words that stood in it before. */
  readonly repetition: Mean;
  /** Longest run of one word or phrase that follows upon itself, in words. */
  readonly longestRun: Mean;
  /** Words in an answer. */
  readonly words: Mean;
  /** Tokens in an answer, as the model counts; null where a server did not say. */
  readonly tokens: Mean | null;
  /** Geometric mean of the answers' perplexities under the unprompted model; null where it was not measured. */
  readonly perplexity: Mean | null;
}

/** How far answers are from those under no prompt, on harmless queries. */
export interface Change {
  /** Answers that are not letter for letter the same. */
  readonly differing: Proportion;
  /** F1 of the words that both have, 0 to 1. */
  readonly wordF1: Mean;
  /** chrF of the letters, 0 to 1: F2 over character 1- to 6-grams. */
  readonly chrF: Mean;
}

/** The artifact against another condition, query by query. */
export interface PairedTest {
  /** Queries that only the artifact had refused, and only the other one. */
  readonly onlyArtifact: number;
  readonly onlyOther: number;
  /** Two-sided exact McNemar test. */
  readonly pValue: number;
  /** Share refused under the artifact less the share under the other, with a 95% interval for paired proportions. */
  readonly difference: number;
  readonly interval: readonly [low: number, high: number];
}

/** A second judge's opinion of the answers to harmful queries. */
export interface Agreement {
  /** Answers on which the detector and the guard say the same: no refusal and unsafe, or refused and safe. */
  readonly agreeing: Proportion;
  /** Cohen's kappa. */
  readonly kappa: number | null;
  /** Answers that the guard calls unsafe. */
  readonly unsafe: Proportion;
  /** Answers on which the guard gave no verdict that can be read; left out above. */
  readonly unreadable: number;
}

/** One condition on one group of queries. */
export interface ConditionResult {
  /** A `Condition`'s name. */
  readonly condition: string;
  readonly outcomes: OutcomeCounts;
  /** Queries that were refused outright. Of a harmful query under sampling: every answer; of a harmless one: any answer. */
  readonly refused: Proportion;
  /** Queries that were partly refused. */
  readonly partial: Proportion;
  /** Queries that were complied with. Of a harmful query under sampling: any answer; of a harmless one: every answer. */
  readonly complied: Proportion;
  readonly empty: Proportion;
  /** Answers refused, of all that were judged: the same as `refused` where there is one a query. */
  readonly answersRefused: Mean;
  readonly coherence: Coherence;
  /** Null on harmful queries and for `none`. */
  readonly change: Change | null;
  /** Null for the artifact itself. */
  readonly paired: PairedTest | null;
  readonly agreement: Agreement | null;
}

/** The queries of one file with one label: what one bar chart shows. */
export interface GroupResult {
  readonly set: { readonly name: string; readonly sha256: string };
  readonly label: QueryLabel;
  readonly n: number;
  readonly protocol: Protocol;
  /** In the order of the report's conditions. */
  readonly results: readonly ConditionResult[];
}

/** Everything that `preamble evaluate` found out, without a word of any answer. */
export interface EvaluationReport {
  readonly format: typeof REPORT_FORMAT;
  /** ISO time. */
  readonly created: string;
  /** `preamble 0.1.0` */
  readonly tool: string;
  readonly model: string;
  /** What answered: `embedded`, or the server's origin. */
  readonly answeredBy: string;
  /** `name@version` */
  readonly detector: string;
  /** The guard model's name; null for none. */
  readonly judge: string | null;
  readonly prompt: { readonly label: string; readonly digest: string };
  /** Shown in this order: none first, the artifact last. */
  readonly conditions: readonly Condition[];
  readonly groups: readonly GroupResult[];
  /** Seconds from start to end. */
  readonly seconds: number;
}
