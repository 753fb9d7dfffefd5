import { type Column, renderTable } from '../../dro/report/report-parts.ts';
import { element, type Markup } from '../../formats/markup.ts';
import type { DecisionKind } from '../../refusal/decision.ts';
import { millisecondsText, NOTHING } from '../numbers.ts';
import type { RecordedDecision } from '../recorder.ts';
import { code, renderEmpty, renderPrompt, renderState, renderTime, type SignKind } from './parts.ts';

/** The log has them all. */
const MAX_SHOWN = 25;

const signs: Readonly<Record<DecisionKind, SignKind>> = {
  refused: 'held',
  partial: 'held',
  complied: 'good',
  empty: 'neutral',
  filtered: 'neutral',
  unknown: 'neutral',
};

/** What became of the last answers, the newest first. */
export function renderDecisions(decisions: readonly RecordedDecision[]): Markup {
  if (decisions.length === 0) {
    return renderEmpty(
      'No answer has been judged yet.',
      'Each one stands here when it has ended, and in the log as ',
      code('refusal.decision'),
      '.',
    );
  }
  const shown = decisions.slice(0, MAX_SHOWN);
  const texts: Column<RecordedDecision> = { heading: 'Text', cell: renderContent };
  return renderTable<RecordedDecision>({
    caption: 'The last answers',
    rows: shown,
    keyOf: ({ record }) => `${record.requestId} ${record.choice} ${record.variant}`,
    columns: [
      { heading: 'At', cell: ({ at }) => renderTime(new Date(at)) },
      { heading: 'Decision', cell: ({ record }) => renderState(signs[record.decision], record.decision) },
      { heading: 'Model', cell: ({ record }) => record.model },
      { heading: 'Prompt', cell: ({ prompt }) => renderPrompt(prompt) },
      { heading: 'Variant', cell: ({ record }) => record.variant },
      { heading: 'Tenant', cell: ({ record }) => record.tenant },
      { heading: 'Rule', cell: ({ record }) => record.rule ?? NOTHING },
      { heading: 'Took, ms', numeric: true, cell: ({ record }) => millisecondsText(record.totalMs) },
      ...(shown.some(({ content }) => content !== null) ? [texts] : []),
    ],
  });
}

function renderContent({ content }: RecordedDecision): Markup | string {
  if (content === null) return NOTHING;
  return element(
    'details',
    { class: 'excerpt' },
    element('summary', {}, 'Show'),
    element('p', {}, element('strong', {}, 'Asked: '), content.asked),
    element('p', {}, element('strong', {}, 'Answered: '), content.answered),
  );
}
