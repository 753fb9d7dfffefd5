import { element, type Markup, type MarkupChild } from '../formats/markup.ts';
import { version } from '../version.ts';
import { type ChartName, groupChartNames, groupCharts, latencyChartNames, latencyCharts } from './charts.ts';
import { heading } from './panels/legends.ts';
import type { PanelName, Panels } from './panels.ts';
import { PROMPTS_PATH } from './prompt-page-links.ts';
import { dimensions, stretches, type View, viewPath } from './view.ts';

/** Three bars, as the charts have lines. */
const icon = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#0072b2"/><path d="M4 12V8M8 12V4M12 12V6" stroke="#fff" stroke-width="2" stroke-linecap="round"/></svg>',
)}`;

/** The whole page, as it is without its script too: numbers and tables. The script draws the charts and keeps all of it up to date. */
export function renderPage(view: View, panels: Panels): Markup {
  const panel = (name: PanelName) => element('div', { id: `panel-${name}`, class: 'panel' }, ...panels[name]);
  return element(
    'html',
    { lang: 'en' },
    element(
      'head',
      {},
      element('meta', { charset: 'utf-8' }),
      element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
      element('title', {}, 'Preamble'),
      element('link', { rel: 'icon', href: icon }),
      element('link', { rel: 'stylesheet', href: '/dashboard/assets/uplot.css' }),
      element('link', { rel: 'stylesheet', href: '/dashboard/assets/style.css' }),
      element('script', { type: 'module', src: '/dashboard/assets/page.js' }),
    ),
    element(
      'body',
      { 'data-by': view.by, 'data-minutes': view.minutes },
      element('a', { class: 'skip', href: '#main' }, 'Skip to the numbers'),
      renderHeader(),
      element(
        'main',
        { id: 'main', tabindex: -1 },
        panel('attention'),
        section('now', 'The last five minutes', panel('headline')),
        section(
          'over-time',
          'Over time',
          renderControls(view),
          element(
            'div',
            { class: 'charts' },
            ...groupChartNames.map((name) => renderChart(name, groupCharts[name], panel)),
          ),
        ),
        section(
          'latency',
          'Latency',
          element(
            'div',
            { class: 'charts' },
            ...latencyChartNames.map((name) => renderChart(name, latencyCharts[name], panel)),
          ),
        ),
        section('servers', 'Model servers', card(panel('servers'))),
        section('redis', 'Redis', card(panel('redis'))),
        section('rollouts', 'Rollouts', card(panel('rollouts'))),
        section('traffic', 'Traffic', card(panel('traffic'))),
        section('decisions', 'Last answers', card(panel('decisions'))),
      ),
      element(
        'footer',
        {},
        element(
          'p',
          {},
          'Times are ',
          element('span', { id: 'zone' }, 'UTC'),
          '. Each point of a chart is the minute up to it.',
        ),
      ),
    ),
  );
}

const places = {
  'over-time': 'Over time',
  latency: 'Latency',
  servers: 'Servers',
  rollouts: 'Rollouts',
  traffic: 'Traffic',
  decisions: 'Answers',
};

function renderHeader(): Markup {
  return element(
    'header',
    { class: 'top' },
    element('h1', {}, 'Preamble', element('span', { class: 'version' }, version)),
    element(
      'nav',
      { 'aria-label': 'This page' },
      element(
        'ul',
        {},
        ...Object.entries(places).map(([id, name]) =>
          element('li', {}, element('a', { class: 'place', href: `#${id}` }, name)),
        ),
        element('li', {}, element('a', { class: 'place', href: PROMPTS_PATH }, 'Prompts')),
      ),
    ),
    element(
      'div',
      { class: 'live' },
      // Changes a few times a day at most: what it says is worth being read out.
      element('p', { id: 'connection', role: 'status' }, 'As of when it was opened; reload for newer numbers'),
      element('button', { id: 'pause', type: 'button', hidden: '' }, 'Pause'),
    ),
  );
}

/** Links and no form: they work without the script, and what is seen has an address. */
function renderControls(view: View): Markup {
  const choice = (name: string, links: readonly (readonly [string, View])[]) =>
    element(
      'nav',
      { class: 'choice', 'aria-label': name },
      element('span', { 'aria-hidden': 'true' }, name),
      element(
        'ul',
        {},
        ...links.map(([text, to]) => {
          const isCurrent = to.by === view.by && to.minutes === view.minutes;
          const attributes = {
            class: 'option',
            href: `${viewPath(to)}#over-time`,
            'aria-current': isCurrent ? 'true' : undefined,
          };
          return element('li', {}, element('a', attributes, text));
        }),
      ),
    );
  return element(
    'div',
    { class: 'controls' },
    choice(
      'Lines by',
      dimensions.map((by) => [heading(by), { ...view, by }] as const),
    ),
    choice(
      'Of the last',
      stretches.map((minutes) => [minutes === 60 ? 'Hour' : `${minutes} minutes`, { ...view, minutes }] as const),
    ),
  );
}

function section(id: string, title: string, ...content: MarkupChild[]): Markup {
  return element(
    'section',
    { id, 'aria-labelledby': `${id}-title` },
    element('h2', { id: `${id}-title` }, title),
    ...content,
  );
}

function card(...content: MarkupChild[]): Markup {
  return element('div', { class: 'card' }, ...content);
}

function renderChart(
  name: ChartName,
  { title, unit }: { readonly title: string; readonly unit: string },
  panel: (name: PanelName) => Markup,
): Markup {
  return element(
    'figure',
    { class: 'card chart' },
    element('figcaption', {}, element('h3', {}, title), element('span', { class: 'unit' }, unit)),
    element('div', { class: 'plot', 'data-chart': name, 'data-title': title, 'data-unit': unit }),
    panel(`legend-${name}`),
  );
}
