import { rateText } from '../dro/pictures/rate.ts';
import { type Column, renderTable } from '../dro/report/report-parts.ts';
import type { Markup } from '../formats/markup.ts';
import { wilson } from '../logs/wilson.ts';
import { NOTHING } from './numbers.ts';
import { columnsIn, type Recorder } from './recorder.ts';
import { byMeasure, type SeriesTotals, type Sums } from './series.ts';

type LabelledSums = SeriesTotals['sets'][number];

/** What was asked under one version, told apart by model, variant and tenant. */
export interface PromptTraffic {
  readonly minutes5: Sums;
  readonly hour: Sums;
  readonly sets: readonly { readonly labels: LabelledSums['labels']; readonly minutes5: Sums; readonly hour: Sums }[];
}

const nothing = byMeasure(() => 0);

/** Of the versions with these labels; the recorder knows no digests. */
export function trafficOf(recorder: Recorder, labels: readonly string[], now: number): Map<string, PromptTraffic> {
  const [hour, minutes5] = [60, 5].map((minutes) => recorder.series.totals(now, columnsIn(minutes)).sets);
  const of = (label: string) => {
    const sets = (hour ?? []).filter(({ labels, sums }) => labels.prompt === label && sums.requests + sums.answers > 0);
    const recent = (minutes5 ?? []).filter(({ labels }) => labels.prompt === label);
    const lately = ({ labels }: LabelledSums) => recent.find((set) => isSame(set.labels, labels))?.sums ?? nothing;
    return {
      hour: sumOf(sets),
      minutes5: sumOf(recent),
      sets: sets.map((set) => ({ labels: set.labels, hour: set.sums, minutes5: lately(set) })),
    };
  };
  return new Map(labels.map((label) => [label, of(label)]));
}

function isSame(a: LabelledSums['labels'], b: LabelledSums['labels']): boolean {
  return a.model === b.model && a.variant === b.variant && a.tenant === b.tenant;
}

function sumOf(sets: readonly LabelledSums[]): Sums {
  return byMeasure((measure) => sets.reduce((sum, { sums }) => sum + sums[measure], 0));
}

/** `12.0% (7.1 to 19.8)`. */
export function refusedText({ refused, answers }: Sums): string {
  const { rate, ...interval } = wilson(refused, answers);
  return rate === null ? NOTHING : rateText({ rate, ...interval });
}

export function renderTraffic({ sets }: PromptTraffic): Markup {
  type Row = PromptTraffic['sets'][number];
  const number = (heading: string, cell: (row: Row) => string): Column<Row> => ({ heading, numeric: true, cell });
  return renderTable<Row>({
    caption: 'Asked and refused; in brackets, 95% intervals',
    rows: sets,
    columns: [
      { heading: 'Model', cell: ({ labels }) => labels.model },
      { heading: 'Variant', cell: ({ labels }) => labels.variant },
      { heading: 'Tenant', cell: ({ labels }) => labels.tenant },
      number('5 minutes', ({ minutes5 }) => String(minutes5.requests)),
      number('Refused', ({ minutes5 }) => refusedText(minutes5)),
      number('1 hour', ({ hour }) => String(hour.requests)),
      number('Refused', ({ hour }) => refusedText(hour)),
      number('Failed', ({ hour }) => String(hour.failed)),
    ],
  });
}
