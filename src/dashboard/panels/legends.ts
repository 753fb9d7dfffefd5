import { element, type Markup, type MarkupChild } from '../../formats/markup.ts';
import {
  type ChartData,
  type ChartName,
  type groupChartNames,
  groupCharts,
  groupSums,
  type latencyChartNames,
  latencyCharts,
  OTHERS,
  quantileNames,
} from '../charts.ts';
import { columnTexts, intervalText, NOTHING, percentText } from '../numbers.ts';
import type { SeriesTotals } from '../series.ts';
import type { View } from '../view.ts';
import { renderPrompt, renderSwatch } from './parts.ts';

interface Row {
  readonly name: MarkupChild;
  readonly minute: string;
  readonly stretch: string;
  /** Of the stretch's number; absent where it is no share of anything. */
  readonly interval?: string;
}

export interface Legends {
  readonly view: View;
  readonly totals: SeriesTotals;
  readonly names: readonly string[];
  /** Of the last minute, at least. */
  readonly charts: ChartData;
}

/** The table below each chart: which line is whose, and the same in numbers for those who do not see it. */
export function renderLegends({ view, totals, names, charts }: Legends): Readonly<Record<ChartName, Markup>> {
  const sums = groupSums(totals, view.by, names);
  const group = (chart: (typeof groupChartNames)[number]) => {
    const { title, unit, of } = groupCharts[chart];
    const isShare = chart === 'refused' || chart === 'failed';
    const texts = isShare ? (values: readonly (number | null)[]) => values.map(percentText) : columnTexts;
    const minute = texts(names.map((_, line) => charts.lines[chart][line]?.at(-1) ?? null));
    const stretch = texts(sums.map((own) => of(own, view.minutes * 60)));
    const rows = names.map((name, line) => {
      const own = sums[line];
      const n = chart === 'refused' ? own?.answers : own?.requests;
      return {
        name: view.by === 'prompt' && name !== OTHERS ? renderPrompt(name) : name,
        minute: minute[line] ?? NOTHING,
        stretch: stretch[line] ?? NOTHING,
        ...(isShare && {
          interval: intervalText(chart === 'refused' ? (own?.refused ?? 0) : (own?.failed ?? 0), n ?? 0),
        }),
      };
    });
    return renderLegend({ title, unit, head: heading(view.by), rows, minutes: view.minutes });
  };
  const latency = (chart: (typeof latencyChartNames)[number]) => {
    const minute = columnTexts(quantileNames.map((_, line) => charts.lines[chart][line]?.at(-1) ?? null));
    const stretch = columnTexts(totals.latency[chart]);
    const rows = quantileNames.map((name, line) => ({
      name: `${name} are faster than`,
      minute: minute[line] ?? NOTHING,
      stretch: stretch[line] ?? NOTHING,
    }));
    return renderLegend({ ...latencyCharts[chart], head: 'Share', rows, minutes: view.minutes });
  };
  return {
    refused: group('refused'),
    failed: group('failed'),
    requests: group('requests'),
    tokens: group('tokens'),
    total: latency('total'),
    firstToken: latency('firstToken'),
    gateway: latency('gateway'),
  };
}

export function heading(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

interface Legend {
  readonly title: string;
  readonly unit: string;
  readonly head: string;
  readonly rows: readonly Row[];
  readonly minutes: number;
}

function renderLegend({ title, unit, head, rows, minutes }: Legend): Markup {
  const withIntervals = rows.some(({ interval }) => interval !== undefined);
  const number = (text: string) => element('th', { scope: 'col', class: 'number' }, text);
  const body = rows.map(({ name, minute, stretch, interval }, line) =>
    element(
      'tr',
      {},
      element(
        'th',
        { scope: 'row' },
        element('span', { class: 'label' }, renderSwatch(line), element('span', { class: 'name' }, name)),
      ),
      element('td', { class: 'number' }, minute),
      element('td', { class: 'number' }, stretch),
      withIntervals ? element('td', { class: 'number' }, interval ?? NOTHING) : null,
    ),
  );
  const none = element(
    'tr',
    {},
    element('td', { class: 'nothing', colspan: withIntervals ? 4 : 3 }, 'No requests in this time.'),
  );
  return element(
    'table',
    { class: 'legend' },
    element('caption', { class: 'unseen' }, `${title}, ${unit}`),
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        element('th', { scope: 'col' }, head),
        number('1 min'),
        number(minutes === 60 ? '1 hour' : `${minutes} min`),
        withIntervals ? number('95% interval') : null,
      ),
    ),
    element('tbody', {}, ...(body.length === 0 ? [none] : body)),
  );
}
