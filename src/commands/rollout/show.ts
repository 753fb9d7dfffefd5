import type { Verdict } from '../../rollout/judge.ts';
import type { RolloutStatus } from '../../rollout/rollouts.ts';
import { conditionText, evidenceText, guardText, partText, sharingText } from '../../rollout/words.ts';
import { table } from '../output.ts';

/** What a person reads of one rollout. */
export function describeRollout({ rollout, verdict }: RolloutStatus): string {
  const { name, candidate, stable, shares, shadow, model, status, started, ended, by, evidence } = rollout;
  const how = sharingText(shadow, shares.at(-1) ?? 0);
  const since = `since ${started}${ended === null ? '' : ` until ${ended}`}`;
  const whose = by === null ? '' : ` by ${by === 'guardrail' ? 'a guardrail' : 'an operator'}`;
  const lines = [
    `${name}: ${candidate.version} ${how}${model === null ? '' : ` of ${model}`}, ${status}${whose}, ${since}\n`,
    table(
      ['', `stable ${stable.version}`, `candidate ${candidate.version}`, 'evidence that it is worse'],
      verdict.guards.map((guard) => [
        guardText(guard.guard),
        partText(guard.stable),
        partText(guard.candidate),
        evidenceText(guard.evidence),
      ]),
    ),
    `together ${evidenceText(verdict.evidence)}; at ${verdict.limit} the rollout is aborted\n`,
    ...(verdict.dropped > 0 ? [`${verdict.dropped} copies were not made, as too many were under way\n`] : []),
    ...(evidence === null
      ? []
      : [
          `aborted for ${guardText(evidence.guard)}: ${partText(evidence.candidate)} against ${partText(evidence.stable)}, evidence ${evidenceText(evidence.mean)}\n`,
        ]),
    ...describeConditions(verdict),
  ];
  return lines.join('');
}

function describeConditions({ conditions, ready }: Verdict): string[] {
  const lines = conditions.map((condition) => `${condition.text}: ${conditionText(condition)}\n`);
  return ready ? [...lines, 'All conditions are met: it can be promoted.\n'] : lines;
}
