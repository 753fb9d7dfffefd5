import { element, type Markup, type MarkupChild } from '../../formats/markup.ts';
import { refusedModels } from '../../policy/refused-models.ts';
import { countText, intervalText, numberText, shareText } from '../numbers.ts';
import { columnsIn } from '../recorder.ts';
import type { SeriesTotals } from '../series.ts';
import type { DashboardState } from '../state.ts';
import { renderState } from './parts.ts';

const FIVE_MINUTES = columnsIn(5);

/** The few numbers that are looked at first. */
export function renderHeadline({ gateway, recorder, now }: DashboardState): Markup {
  const totals = recorder.series.totals(now, FIVE_MINUTES);
  const sum = (measure: keyof SeriesTotals['sets'][number]['sums']) =>
    totals.sets.reduce((all, { sums }) => all + sums[measure], 0);
  const [requests, failed, answers, refused] = [sum('requests'), sum('failed'), sum('answers'), sum('refused')];
  const [half, most, nearly] = totals.latency.gateway;
  return element(
    'dl',
    { class: 'headline' },
    tile('Refused', shareText(refused, answers), [
      answers === 0 ? 'no answers' : `${intervalText(refused, answers)} (95% sure), of ${countText(answers)}`,
    ]),
    tile('Failed', shareText(failed, requests), [
      requests === 0 ? 'no requests' : `${countText(failed)} of ${countText(requests)} requests`,
    ]),
    tile('Requests', `${numberText(requests / 300)}/s`, [
      `${countText(gateway.observations.inFlight())} under way now`,
    ]),
    tile('Added by the gateway', milliseconds(half ?? null), [
      half === null
        ? 'the median; nothing measured'
        : `the median; 95% under ${milliseconds(most ?? null)}, 99% ${milliseconds(nearly ?? null)}`,
    ]),
    tile('This gateway', readiness(gateway), [`generation ${gateway.current().generation} of its settings`]),
  );
}

function tile(name: string, figure: MarkupChild, remark: readonly MarkupChild[]): Markup {
  return element(
    'div',
    {},
    element('dt', {}, name),
    element('dd', { class: 'figure' }, figure),
    element('dd', { class: 'remark' }, ...remark),
  );
}

function readiness({ readiness, current }: DashboardState['gateway']): Markup {
  if (readiness.reasons().length + refusedModels(current().policy).length > 0) return renderState('bad', 'Not ready');
  return readiness.degradations().length > 0 ? renderState('bad', 'Degraded') : renderState('good', 'Ready');
}

function milliseconds(value: number | null): string {
  return value === null ? numberText(null) : `${numberText(value)} ms`;
}
