import { renderTable } from '../dro/report/report-parts.ts';
import { element, type Markup, type MarkupChild } from '../formats/markup.ts';
import type { PromptVersion } from '../prompts/registry.ts';
import type { RolloutStatus } from '../rollout/rollouts.ts';
import type { PromptUse } from './prompt-page-uses.ts';

/** Names of tenants in one cell; there can be thousands. */
const MAX_NAMES = 20;

/** Null where rollouts can't be looked up. */
export type FoundRollouts = readonly RolloutStatus[] | null;

const variants: Readonly<Record<PromptUse['variant'], string>> = {
  stable: 'stable',
  canary: 'candidate of a rollout',
  shadow: 'candidate of a rollout, on copies',
};

export function renderUses(uses: readonly PromptUse[]): MarkupChild {
  if (uses.length === 0) return element('p', {}, 'It answers nowhere on this gateway now.');
  return renderTable<PromptUse>({
    caption: 'Where it answers now, on this gateway',
    rows: uses,
    columns: [
      { heading: 'Model', cell: ({ model }) => model },
      { heading: 'Also called', cell: ({ aliases }) => listed(aliases) },
      { heading: 'Tenants', cell: ({ tenants }) => (tenants === null ? 'everybody' : listed(tenants)) },
      { heading: 'As', cell: ({ variant }) => variants[variant] },
      { heading: 'Conversations', numeric: true, cell: ({ share }) => percent(share) },
    ],
  });
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return '–';
  const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : '';
  return names.slice(0, MAX_NAMES).join(', ') + more;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))}%`;
}

/** Those that this version is the candidate of, or stands against. */
export function renderRollouts(rollouts: FoundRollouts, { name, digest }: PromptVersion): MarkupChild {
  if (rollouts === null) return element('p', { class: 'remark' }, 'Its rollouts can not be looked up now.');
  const own = rollouts.filter(
    ({ rollout }) => rollout.name === name && (rollout.candidate.digest === digest || rollout.stable.digest === digest),
  );
  if (own.length === 0) return null;
  return renderTable<RolloutStatus>({
    caption: `Rollouts of ${name}, on all gateways`,
    rows: own,
    columns: [
      { heading: 'Candidate', cell: ({ rollout }) => rollout.candidate.version },
      { heading: 'Against', cell: ({ rollout }) => rollout.stable.version },
      { heading: 'State', cell: ({ rollout }) => stateText(rollout) },
      { heading: 'Share', numeric: true, cell: ({ rollout }) => percent(rollout.shares.at(-1) ?? 0) },
      { heading: 'Started', cell: ({ rollout }) => timeOf(rollout.started) },
      { heading: 'Answers', numeric: true, cell: ({ verdict }) => String(verdict.requests) },
      {
        heading: 'Evidence against it',
        numeric: true,
        cell: ({ verdict: { evidence, limit } }) => `${evidence.toPrecision(3)} of ${limit}`,
      },
    ],
  });
}

function stateText({ status, by, shadow }: RolloutStatus['rollout']): string {
  if (status === 'aborted') return by === 'guardrail' ? 'aborted by a guardrail' : 'aborted';
  return status === 'running' && shadow ? 'running, on copies' : status;
}

function timeOf(iso: string): Markup {
  return element('time', { datetime: iso }, `${iso.slice(0, 16).replace('T', ' ')} UTC`);
}
