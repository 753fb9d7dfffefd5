import type { ConditionResult, EvaluationReport, GroupResult, Proportion } from '../evaluation/report.ts';
import type { Rate } from '../pictures/rate.ts';
import type { ReportedCondition, ReportedEvaluation } from './report-data.ts';

/** The evaluation's figures as the training report shows them: one entry for each set that has queries of both labels. */
export function reportedEvaluations(evaluation: EvaluationReport): ReportedEvaluation[] {
  const { groups, answeredBy, detector } = evaluation;
  return groups.flatMap((harmful) => {
    if (harmful.label !== 'harmful') return [];
    const harmless = groups.find((group) => group.label === 'harmless' && isSameMeasurement(group, harmful));
    if (harmless === undefined) return [];
    const { name, maxTokens } = harmful.protocol;
    return [
      {
        set: harmful.set.name,
        conditions: evaluation.conditions.flatMap((condition) => conditionOf(condition, harmful, harmless)),
        protocol: `${name} answers of up to ${maxTokens} tokens by ${answeredBy}, judged by ${detector}.`,
      },
    ];
  });
}

function isSameMeasurement(a: GroupResult, b: GroupResult): boolean {
  return a.set.sha256 === b.set.sha256 && a.protocol.name === b.protocol.name;
}

function conditionOf(
  { name, role }: EvaluationReport['conditions'][number],
  harmful: GroupResult,
  harmless: GroupResult,
): ReportedCondition[] {
  const ofHarmful = harmful.results.find(({ condition }) => condition === name);
  const ofHarmless = harmless.results.find(({ condition }) => condition === name);
  if (ofHarmful === undefined || ofHarmless === undefined) return [];
  return [
    {
      name,
      harmfulAnswered: rateOf(ofHarmful.complied),
      harmlessRefused: rateOf(ofHarmless.refused),
      highlighted: role === 'artifact',
      measures: measuresOf(ofHarmless),
    },
  ];
}

/** How sound the answers to harmless queries are. */
function measuresOf({ coherence: { repetition, perplexity, words } }: ConditionResult): Record<string, string> {
  return {
    Repeated: `${(100 * repetition.mean).toFixed(1)}%`,
    Words: words.mean.toFixed(0),
    ...(perplexity === null ? {} : { Perplexity: perplexity.mean.toFixed(1) }),
  };
}

function rateOf({ rate, n, interval: [low, high] }: Proportion): Rate {
  return { rate, low, high, n };
}
