import type { Backend } from '../../backends/backend.ts';
import { renderTable } from '../../dro/report/report-parts.ts';
import type { Markup } from '../../formats/markup.ts';
import type { Gateway } from '../../gateway.ts';
import { NOTHING } from '../numbers.ts';
import { renderState } from './parts.ts';

interface Row {
  readonly model: string;
  readonly server: string;
  readonly underWay: string;
  readonly weight: string;
  readonly problem: string | null;
}

/** Who answers for each model, and whether it gets requests. */
export function renderServers(gateway: Gateway): Markup {
  return renderTable<Row>({
    caption: 'Model servers',
    rows: [...gateway.current().backends].flatMap(([model, backend]) => rowsOf(model, backend)),
    keyOf: ({ model, server }) => `${model} ${server}`,
    columns: [
      { heading: 'Model', cell: ({ model }) => model },
      {
        heading: 'State',
        cell: ({ problem }) => (problem === null ? renderState('good', 'gets requests') : renderState('bad', problem)),
      },
      { heading: 'Server', cell: ({ server }) => server },
      { heading: 'Under way', numeric: true, cell: ({ underWay }) => underWay },
      { heading: 'Share', numeric: true, cell: ({ weight }) => weight },
    ],
  });
}

function rowsOf(model: string, backend: Backend): Row[] {
  const servers = backend.servers();
  if (servers.length > 0) {
    return servers.map(({ url, outstanding, weight, problem }) => {
      // Without what follows a question mark: it may be a key.
      const { origin, pathname } = new URL(url);
      const server = `${backend.kind} at ${origin}${pathname === '/' ? '' : pathname}`;
      return { model, server, underWay: String(outstanding), weight: `${Math.round(weight * 100)}%`, problem };
    });
  }
  const queue = backend.queue?.() ?? null;
  const underWay = queue === null ? NOTHING : `${queue.running} of ${queue.slots}, ${queue.waiting} waiting`;
  return [{ model, server: `${backend.kind}, in this process`, underWay, weight: NOTHING, problem: backend.problem() }];
}
