import type { JudgedGuard, Verdict } from '../../rollout/judge.ts';
import type { RolloutStatus } from '../../rollout/rollouts.ts';
import { table } from '../output.ts';

const what: Readonly<Record<string, string>> = {
  refusal: 'refused',
  compliance: 'harmful, not refused',
  error: 'failed',
  latency: 'slow',
  length: 'odd length',
};

/** What a person reads of one rollout. */
export function describeRollout({ rollout, verdict }: RolloutStatus): string {
  const { name, candidate, stable, shares, shadow, model, status, started, ended, by, evidence } = rollout;
  const share = formatRate(shares.at(-1) ?? 0);
  const how = shadow ? `on copies of ${share} of conversations` : `in ${share} of conversations`;
  const since = `since ${started}${ended === null ? '' : ` until ${ended}`}`;
  const whose = by === null ? '' : ` by ${by === 'guardrail' ? 'a guardrail' : 'an operator'}`;
  const lines = [
    `${name}: ${candidate.version} ${how}${model === null ? '' : ` of ${model}`}, ${status}${whose}, ${since}\n`,
    table(
      ['', `stable ${stable.version}`, `candidate ${candidate.version}`, 'evidence that it is worse'],
      verdict.guards.map((guard) => [
        what[guard.guard] ?? guard.guard,
        formatPart(guard.stable),
        formatPart(guard.candidate),
        formatEvidence(guard.evidence),
      ]),
    ),
    `together ${formatEvidence(verdict.evidence)}; at ${verdict.limit} the rollout is aborted\n`,
    ...(verdict.dropped > 0 ? [`${verdict.dropped} copies were not made, as too many were under way\n`] : []),
    ...(evidence === null
      ? []
      : [
          `aborted for ${what[evidence.guard] ?? evidence.guard}: ${formatPart(evidence.candidate)} against ${formatPart(evidence.stable)}, evidence ${formatEvidence(evidence.mean)}\n`,
        ]),
    ...describeConditions(verdict),
  ];
  return lines.join('');
}

function describeConditions({ conditions, ready }: Verdict): string[] {
  const lines = conditions.map(({ text, state, requests, rate, low, high }) => {
    const said = { met: 'met', missed: 'missed', open: 'not shown yet' }[state];
    if (low === null || high === null) return `${text}: ${said} (${requests})\n`;
    const now = rate === null ? 'no requests yet' : `${formatRate(rate)} of ${requests}`;
    return `${text}: ${said} (${now}; between ${formatRate(low)} and ${formatRate(high)})\n`;
  });
  return ready ? [...lines, 'All conditions are met: it can be promoted.\n'] : lines;
}

function formatPart({ events, of }: JudgedGuard['stable']): string {
  return of === 0 ? '-' : `${formatRate(events / of)} of ${of}`;
}

function formatRate(rate: number): string {
  return `${Number((rate * 100).toFixed(rate < 0.1 ? 2 : 1))}%`;
}

function formatEvidence(evidence: number): string {
  return evidence >= 100 ? evidence.toPrecision(3) : evidence.toFixed(2);
}
