import { type Column, renderFacts, renderTable } from '../dro/report/report-parts.ts';
import { element, type Markup } from '../formats/markup.ts';
import type { Gateway } from '../gateway.ts';
import { wilson } from '../logs/wilson.ts';
import type { RecordedDecision, Recorder } from './recorder.ts';
import { quantiles, type SeriesTotals } from './series.ts';

/** Columns of ten seconds. */
const FIVE_MINUTES = 30;

/** What operators see; all of it is escaped text. */
export function renderPanels(gateway: Gateway, recorder: Recorder, now: number): Markup[] {
  const totals = recorder.series.totals(now, FIVE_MINUTES);
  return [
    renderTraffic(totals),
    renderLatency(totals),
    renderServers(gateway),
    renderRedis(gateway),
    renderDecisions(recorder),
  ];
}

function renderTraffic({ sets }: SeriesTotals): Markup {
  type Row = SeriesTotals['sets'][number];
  const number = (heading: string, cell: (row: Row) => string): Column<Row> => ({ heading, numeric: true, cell });
  return renderTable<Row>({
    caption: 'Traffic of the last five minutes; in brackets, 95% intervals',
    rows: sets.filter(({ sums }) => sums.requests + sums.answers > 0),
    columns: [
      { heading: 'Model', cell: ({ labels }) => labels.model },
      { heading: 'Prompt', cell: ({ labels }) => labels.prompt },
      { heading: 'Variant', cell: ({ labels }) => labels.variant },
      { heading: 'Tenant', cell: ({ labels }) => labels.tenant },
      number('Requests', ({ sums }) => String(sums.requests)),
      number('Refused', ({ sums }) => share(sums.refused, sums.answers)),
      number('Failed', ({ sums }) => share(sums.failed, sums.requests)),
      number('Tokens', ({ sums }) => String(sums.tokens)),
    ],
  });
}

function share(count: number, n: number): string {
  const { rate, low, high } = wilson(count, n);
  const digits = (value: number) => (value * 100).toFixed(1);
  return rate === null ? '–' : `${digits(rate)}% (${digits(low)} to ${digits(high)})`;
}

function renderLatency({ latency }: SeriesTotals): Markup {
  const names = { total: 'Whole answers', firstToken: 'First token, from the model', gateway: 'The gateway itself' };
  return renderTable({
    caption: 'Milliseconds, in the last five minutes',
    rows: (['total', 'firstToken', 'gateway'] as const).map((key) => ({ name: names[key], values: latency[key] })),
    columns: [
      { heading: 'Time of', cell: ({ name }) => name },
      ...quantiles.map((share, index) => ({
        heading: `${share * 100}%`,
        numeric: true,
        cell: ({ values }: { values: (number | null)[] }) => String(values[index] ?? '–'),
      })),
    ],
  });
}

function renderServers(gateway: Gateway): Markup {
  const rows = [...gateway.current().backends].flatMap(([model, backend]) => {
    const own = { model, url: backend.kind, outstanding: '–', problem: backend.problem() };
    const servers = backend.servers().map(({ url, outstanding, problem }) => {
      const { origin, pathname } = new URL(url);
      return { model, url: origin + pathname, outstanding: String(outstanding), problem };
    });
    return servers.length === 0 ? [own] : servers;
  });
  return renderTable({
    caption: 'Model servers',
    rows,
    columns: [
      { heading: 'Model', cell: ({ model }) => model },
      { heading: 'Server', cell: ({ url }) => url },
      { heading: 'Under way', numeric: true, cell: ({ outstanding }) => outstanding },
      { heading: 'State', cell: ({ problem }) => problem ?? 'gets requests' },
    ],
  });
}

function renderRedis(gateway: Gateway): Markup {
  const state = gateway.redisState();
  const text =
    state === null ? 'not configured' : state.status === 'connected' ? 'connected' : `degraded: ${state.reason}`;
  return renderFacts('This gateway', { Redis: text, 'Requests in flight': gateway.observations.inFlight() });
}

function renderDecisions(recorder: Recorder): Markup {
  return renderTable<RecordedDecision>({
    caption: 'Last decisions',
    rows: recorder.decisions(),
    columns: [
      { heading: 'At', cell: ({ at }) => element('time', {}, new Date(at).toISOString()) },
      { heading: 'Decision', cell: ({ record }) => record.decision },
      { heading: 'Model', cell: ({ record }) => record.model },
      { heading: 'Prompt', cell: ({ prompt }) => prompt },
      { heading: 'Tenant', cell: ({ record }) => record.tenant },
      { heading: 'Rule', cell: ({ record }) => record.rule ?? '–' },
    ],
  });
}
