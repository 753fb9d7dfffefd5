import type { Markup } from '../formats/markup.ts';
import { type ChartData, type ChartName, drawCharts, groupNames, SPAN } from './charts.ts';
import { renderAttention } from './panels/attention.ts';
import { renderDecisions } from './panels/decisions.ts';
import { renderHeadline } from './panels/headline.ts';
import { renderLegends } from './panels/legends.ts';
import { renderRedis } from './panels/redis.ts';
import { renderRollouts } from './panels/rollouts.ts';
import { renderServers } from './panels/servers.ts';
import { renderTraffic } from './panels/traffic.ts';
import type { DashboardState } from './state.ts';
import { columnsOf, type View } from './view.ts';

export type PanelName =
  | 'attention'
  | 'headline'
  | 'traffic'
  | 'servers'
  | 'redis'
  | 'rollouts'
  | 'decisions'
  | `legend-${ChartName}`;

/** The page's parts that change. */
export type Panels = Readonly<Record<PanelName, readonly Markup[]>>;

export interface Shown {
  readonly panels: Panels;
  /** Whose lines the charts have. */
  readonly names: readonly string[];
  /** The last `columns` of them. */
  charts(columns: number): ChartData;
}

/** All that one view of the state shows; every text in it is escaped. */
export function show(state: DashboardState, view: View): Shown {
  const { gateway, recorder, now } = state;
  const totals = recorder.series.totals(now, columnsOf(view));
  const names = groupNames(totals, view.by);
  const charts = (columns: number) => drawCharts(recorder.series.view(now, columns, SPAN), view.by, names, now);
  const legends = renderLegends({ view, totals, names, charts: charts(1) });
  return {
    names,
    charts,
    panels: {
      attention: [renderAttention(gateway)].filter((markup) => markup !== null),
      headline: [renderHeadline(state)],
      traffic: [renderTraffic(totals, view)],
      servers: [renderServers(gateway)],
      redis: [renderRedis(gateway.redisState())],
      rollouts: renderRollouts(state.rollouts),
      decisions: [renderDecisions(recorder.decisions())],
      'legend-refused': [legends.refused],
      'legend-failed': [legends.failed],
      'legend-requests': [legends.requests],
      'legend-tokens': [legends.tokens],
      'legend-total': [legends.total],
      'legend-firstToken': [legends.firstToken],
      'legend-gateway': [legends.gateway],
    },
  };
}
