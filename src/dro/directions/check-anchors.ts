import { PreambleError } from '../../errors.ts';

/** The anchors of one prompt. */
export interface AnchorSet {
  /** `[queries, hiddenSize]`, the last input token's state after the final norm. */
  states: Float32Array;
  /** `[queries]`, the share of sampled answers that refuse. */
  refusalFractions: Float32Array;
}

export interface AnchorStates {
  hiddenSize: number;
  /** Of each query; all sets hold them in this order. */
  harmful: readonly boolean[];
  /** No prompt, each textual prompt, perhaps a learned one. */
  sets: readonly AnchorSet[];
}

/**
 * Least share of answers that refuse, and that do not. SmolLM2 refuses 0 to 3% under any textual prompt, and some of those are the detector's
 * errors or harmless queries: a direction fitted to them points nowhere. With 300 queries under four prompts, 5% are 60 rows, about ten for each of
 * a probe's five numbers, the usual least for a logistic regression.
 */
const LEAST_SHARE = 0.05;

/** Throws `anchors_invalid` unless shapes, values and numbers of queries are such that directions can be fitted. */
export function checkAnchors({ hiddenSize, harmful, sets }: AnchorStates, components: number, folds: number): void {
  const queries = harmful.length;
  if (sets.length === 0) throw invalid('There are no anchors: no set of states was given.');
  if (components < 1 || components > hiddenSize) {
    throw invalid(`${components} components cannot be had of states with ${hiddenSize} values.`);
  }
  if (folds < 2) throw invalid(`${folds} folds leave nothing to hold out.`, 'Use at least 2 folds.');
  checkLabels(harmful, folds);
  for (const [index, { states, refusalFractions }] of sets.entries()) {
    const set = `set ${index + 1} of ${sets.length}`;
    if (states.length !== queries * hiddenSize) {
      throw invalid(
        `Of the anchors, ${set} holds ${states.length} values, ${queries} states of ${hiddenSize} need more or less.`,
      );
    }
    if (refusalFractions.length !== queries) {
      throw invalid(
        `Of the anchors, ${set} holds ${refusalFractions.length} refusal fractions for ${queries} queries.`,
      );
    }
    const broken = states.findIndex((value) => !Number.isFinite(value));
    if (broken >= 0) {
      throw invalid(
        `Of the anchors, ${set} has a state that is not finite (NaN or infinity), for query ${Math.floor(broken / hiddenSize) + 1}.`,
        'The model computes no usable states for it: check its weights, and its prompt if that is a learned one.',
      );
    }
    const outside = refusalFractions.findIndex((share) => !(share >= 0 && share <= 1));
    if (outside >= 0) {
      throw invalid(
        `Of the anchors, ${set} has the refusal fraction ${refusalFractions[outside]} for query ${outside + 1}.`,
      );
    }
  }
}

/** Throws `no_refusal_direction` where hardly any or nearly every answer refuses, or all that differ in it lie in one fold. */
export function checkRefusals({ harmful, sets }: AnchorStates, folds: readonly number[]): void {
  const shares = sets.flatMap(({ refusalFractions }) => [...refusalFractions]);
  const mean = average(shares);
  const seen = `${percent(mean)} of the answers to ${harmful.length} queries under ${sets.length} prompts refuse`;
  if (mean < LEAST_SHARE) {
    throw noDirection(
      `The model hardly ever refuses: ${seen}, at least ${percent(LEAST_SHARE)} must.`,
      'Teach it first: preamble train --start vpt. Or give the anchors a prompt under which it refuses.',
    );
  }
  if (mean > 1 - LEAST_SHARE) {
    throw noDirection(
      `The model refuses nearly everything: ${seen}, at most ${percent(1 - LEAST_SHARE)} may.`,
      'Teach it first to answer harmless queries: preamble train --start vpt.',
    );
  }
  const rowFolds = sets.flatMap(() => folds);
  for (const fold of new Set(folds)) {
    const rest = shares.filter((_, row) => rowFolds[row] !== fold);
    if (rest.some((share) => share !== rest[0])) continue;
    throw noDirection(
      `Refusals say nothing about the queries: ${seen}, but all queries outside one fold are refused equally often.`,
      'Teach the model first: preamble train --start vpt. Or use more queries.',
    );
  }
}

function checkLabels(harmful: readonly boolean[], folds: number): void {
  const count = harmful.filter(Boolean).length;
  for (const [label, queries] of [
    ['harmful', count],
    ['harmless', harmful.length - count],
  ] as const) {
    if (queries >= folds) continue;
    throw invalid(
      queries === 0
        ? `None of the ${harmful.length} anchor queries is ${label}: harmfulness has no direction.`
        : `${queries} ${label} anchor queries are too few for ${folds} folds.`,
      `Use at least ${folds} harmful and ${folds} harmless queries; the shipped sets have 150 of each.`,
    );
  }
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** 0.0123 is 1.2% */
function percent(share: number): string {
  return `${Number((100 * share).toFixed(1))}%`;
}

function invalid(message: string, action = 'Make the anchors anew: preamble anchors.'): PreambleError {
  return new PreambleError('anchors_invalid', message, { action });
}

function noDirection(message: string, action: string): PreambleError {
  return new PreambleError('no_refusal_direction', message, { action });
}
