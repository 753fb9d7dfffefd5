import { renderTable } from '../../dro/report/report-parts.ts';
import { element, type Markup } from '../../formats/markup.ts';
import { promptLabel } from '../../prompts/name.ts';
import type { JudgedGuard, Verdict } from '../../rollout/judge.ts';
import type { RolloutStatus } from '../../rollout/rollouts.ts';
import { conditionText, evidenceText, guardText, partText, sharingText } from '../../rollout/words.ts';
import type { RolloutsState } from '../rollouts-reader.ts';
import { code, renderEmpty, renderMoment, renderPrompt, renderState, type SignKind } from './parts.ts';

/** Those that have ended are told of so that nobody misses an abortion; more of them are in `preamble rollout status`. */
const MAX_ENDED = 3;

/** Running rollouts with what speaks against their candidates, then those that ended last. */
export function renderRollouts(state: RolloutsState): Markup[] {
  if (state.kind === 'unavailable') return [element('p', {}, renderState('bad', state.reason))];
  const statuses = state.kind === 'known' ? state.statuses : [];
  const running = statuses.filter(({ rollout }) => rollout.status === 'running');
  const ended = statuses
    .filter(({ rollout }) => rollout.ended !== null)
    .toSorted((a, b) => (b.rollout.ended ?? '').localeCompare(a.rollout.ended ?? ''))
    .slice(0, MAX_ENDED);
  const none = renderEmpty(
    'No rollout is running.',
    'To try a new version of a prompt on a share of conversations: ',
    code('preamble rollout start NAME --candidate VERSION --share 5%'),
  );
  return [...(running.length === 0 ? [none] : running.map(renderRunning)), ...ended.map(renderEnded)];
}

function renderRunning({ rollout, verdict }: RolloutStatus): Markup {
  const { id, name, model, candidate, stable, shadow, shares, started } = rollout;
  return element(
    'article',
    { class: 'rollout', 'data-key': id },
    element('h3', {}, renderPrompt(promptLabel(name, candidate.version))),
    element(
      'p',
      {},
      `${sharingText(shadow, shares.at(-1) ?? 0)}${model === null ? '' : ` of ${model}`}, beside `,
      renderPrompt(promptLabel(name, stable.version)),
      ', since ',
      renderMoment(new Date(started)),
    ),
    renderEvidence(verdict),
    renderTable<JudgedGuard>({
      caption: 'What is counted of each version, and the evidence that the candidate is worse',
      rows: verdict.guards,
      columns: [
        { heading: 'Answers that were', cell: ({ guard }) => guardText(guard) },
        { heading: `stable ${stable.version}`, numeric: true, cell: (guard) => partText(guard.stable) },
        { heading: `candidate ${candidate.version}`, numeric: true, cell: (guard) => partText(guard.candidate) },
        { heading: 'Evidence', numeric: true, cell: ({ evidence }) => evidenceText(evidence) },
      ],
    }),
    verdict.dropped === 0
      ? null
      : element('p', {}, `${verdict.dropped} copies were not made, as too many were under way.`),
    renderConditions(verdict),
  );
}

const BAR = 100;

/** Evidence multiplies, so its bar is of logarithms: half of it is the square root of the limit. */
function renderEvidence({ evidence, limit }: Verdict): Markup {
  const share = Math.min(1, Math.max(0, Math.log(evidence) / Math.log(limit)));
  return element(
    'div',
    { class: 'evidence' },
    element(
      'svg',
      { class: 'bar', viewBox: `0 0 ${BAR} 6`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      element('rect', { class: 'track', x: 0, y: 0, width: BAR, height: 6 }),
      element('rect', { class: 'fill', x: 0, y: 0, width: share * BAR, height: 6 }),
    ),
    element('p', {}, `Evidence that it is worse: ${evidenceText(evidence)}. At ${limit} it is aborted by itself.`),
  );
}

const signs = { met: 'good', missed: 'bad', open: 'neutral' } as const satisfies Record<string, SignKind>;

function renderConditions({ conditions, ready }: Verdict): Markup | null {
  if (conditions.length === 0) return null;
  const items = conditions.map((condition) =>
    element('li', {}, code(condition.text), ' ', renderState(signs[condition.state], conditionText(condition))),
  );
  return element(
    'ul',
    { class: 'conditions' },
    ...items,
    ready ? element('li', {}, 'All conditions are met: ', code('preamble rollout promote'), '.') : null,
  );
}

function renderEnded({ rollout }: RolloutStatus): Markup {
  const { id, name, candidate, status, by, evidence, ended } = rollout;
  const whose = by === null ? '' : ` by ${by === 'guardrail' ? 'a guardrail' : 'an operator'}`;
  const why =
    evidence === null
      ? '.'
      : `: ${guardText(evidence.guard)} ${partText(evidence.candidate)} against ${partText(evidence.stable)}, evidence ${evidenceText(evidence.mean)}.`;
  return element(
    'p',
    { class: 'ended', 'data-key': id },
    renderPrompt(promptLabel(name, candidate.version)),
    ' was ',
    renderState(status === 'promoted' ? 'good' : 'bad', `${status}${whose}`),
    ', ',
    ended === null ? 'just now' : renderMoment(new Date(ended)),
    why,
  );
}
