import type { PromptEvaluation } from '../../prompts/manifest.ts';
import type { ConditionResult, EvaluationReport, GroupResult, Proportion, Protocol } from './report.ts';

type Figures = NonNullable<PromptEvaluation['refusalRate']>;
type Figure = Figures['prompt'];

/** The report's figures as a manifest keeps them: one entry a group. Pure. */
export function manifestEntries(report: EvaluationReport): PromptEvaluation[] {
  return report.groups.flatMap((group) => {
    const find = finder(report, group);
    const artifact = find('artifact');
    if (artifact === undefined) return [];
    const figures = (of: (result: ConditionResult) => Proportion) => figuresOf(report, group, artifact, of);
    const none = find('none');
    return [
      {
        set: group.set.name,
        n: group.n,
        sha256: group.set.sha256,
        label: group.label,
        complianceRate: figures(({ complied }) => complied),
        refusalRate: figures(({ refused }) => refused),
        partialRate: figures(({ partial }) => partial),
        coherence: { prompt: textOf(artifact), ...(none === undefined ? {} : { none: textOf(none) }) },
        detector: report.detector,
        sampling: samplingOf(group.protocol, report),
        measured: report.created,
      },
    ];
  });
}

function finder(report: EvaluationReport, group: GroupResult) {
  return (role: EvaluationReport['conditions'][number]['role']): ConditionResult | undefined => {
    const name = report.conditions.find((condition) => condition.role === role)?.name;
    return group.results.find(({ condition }) => condition === name);
  };
}

function figuresOf(
  report: EvaluationReport,
  group: GroupResult,
  artifact: ConditionResult,
  of: (result: ConditionResult) => Proportion,
): Figures {
  const find = finder(report, group);
  const [none, text] = [find('none'), find('own-text')];
  const others = report.conditions.filter(({ role }) => role === 'compared' || role === 'text');
  const compared = others.flatMap(({ name }) => {
    const result = group.results.find(({ condition }) => condition === name);
    return result === undefined ? [] : [[name, figureOf(of(result))] as const];
  });
  return {
    prompt: figureOf(of(artifact)),
    ...(none === undefined ? {} : { none: figureOf(of(none)) }),
    ...(text === undefined ? {} : { text: figureOf(of(text)) }),
    ...(compared.length === 0 ? {} : { compared: Object.fromEntries(compared) }),
  };
}

const figureOf = ({ rate, interval: [low, high] }: Proportion): Figure => ({ rate, interval: [low, high] });

function textOf({ coherence: { repetition, words, perplexity } }: ConditionResult) {
  return {
    repetition: repetition.mean,
    words: words.mean,
    ...(perplexity === null ? {} : { perplexity: perplexity.mean }),
  };
}

function samplingOf({ name, ...protocol }: Protocol, { answeredBy }: EvaluationReport): PromptEvaluation['sampling'] {
  return { protocol: name, ...protocol, answeredBy };
}
