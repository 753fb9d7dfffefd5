import { type Column, renderTable } from '../../dro/report/report-parts.ts';
import type { Markup } from '../../formats/markup.ts';
import { countText, intervalText, shareText } from '../numbers.ts';
import type { SeriesTotals } from '../series.ts';
import type { View } from '../view.ts';
import { code, renderEmpty, renderPrompt } from './parts.ts';

type Row = SeriesTotals['sets'][number];

/** Every combination of labels, which the charts show along one of them. */
export function renderTraffic({ sets }: SeriesTotals, { minutes }: View): Markup {
  const rows = sets.filter(({ sums }) => sums.requests + sums.answers > 0);
  if (rows.length === 0) {
    return renderEmpty(
      `No request came in the last ${minutes} minutes.`,
      'Point an OpenAI client at this gateway (',
      code('/v1/chat/completions'),
      ' on its public listener): it is seen here within seconds. Counts begin anew when the gateway does.',
    );
  }
  const number = (heading: string, cell: (row: Row) => string): Column<Row> => ({ heading, numeric: true, cell });
  return renderTable<Row>({
    caption: `Traffic of the last ${minutes} minutes, with 95% intervals`,
    rows: rows.toSorted((a, b) => b.sums.requests - a.sums.requests),
    keyOf: ({ labels }) => Object.values(labels).join(' '),
    columns: [
      { heading: 'Model', cell: ({ labels }) => labels.model },
      { heading: 'Prompt', cell: ({ labels }) => renderPrompt(labels.prompt) },
      { heading: 'Variant', cell: ({ labels }) => labels.variant },
      { heading: 'Tenant', cell: ({ labels }) => labels.tenant },
      number('Requests', ({ sums }) => countText(sums.requests)),
      number('Refused', ({ sums }) => shareText(sums.refused, sums.answers)),
      number('95% interval', ({ sums }) => intervalText(sums.refused, sums.answers)),
      number('Failed', ({ sums }) => shareText(sums.failed, sums.requests)),
      number('95% interval', ({ sums }) => intervalText(sums.failed, sums.requests)),
      number('Tokens', ({ sums }) => countText(sums.tokens)),
    ],
  });
}
