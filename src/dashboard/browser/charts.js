import { clockText, colour, linesOf, minuteText, valueText } from './lines.js';
import { tooltip } from './tooltip.js';
import UPlot from './uplot.js';

/**
 * As the listener tells it: all of it, or only its newest columns.
 *
 * @typedef {(number | null)[]} Values
 * @typedef {{ start: number, stepMs: number, lines: Record<string, Values[]> }} Data
 * @typedef {Data & { whole: boolean }} Charts
 */

const HEIGHT = 180;
/** Columns that Page Up and Page Down go: a minute. */
const PAGE = 6;
/** Per cent: less than this is no mountain, even if it is all there is. */
const LEAST_PERCENT = 5;

/** @param {Iterable<Element>} places */
export function createCharts(places) {
  const charts = [...places].filter((place) => place instanceof HTMLElement).map(createChart);
  /** @type {Data | null} */
  let known = null;

  function draw() {
    if (known !== null) for (const chart of charts) chart.draw(known);
  }
  function redraw() {
    for (const chart of charts) chart.forget();
    draw();
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);

  return {
    /** @param {Charts} news */
    update(news) {
      known = merge(known, news);
      draw();
    },
  };
}

/**
 * @param {Data | null} known
 * @param {Charts} news
 * @returns {Data}
 */
function merge(known, news) {
  if (known === null || news.whole) return news;
  const first = Math.round((news.start - known.start) / known.stepMs);
  const length = lengthOf(known);
  const surplus = Math.max(0, first + lengthOf(news) - length);
  /** @param {Values} before @param {Values} after */
  const join = (before, after) => {
    const kept = before.slice(0, first);
    // Nobody told of these.
    while (kept.length < first) kept.push(null);
    return [...kept, ...after].slice(surplus);
  };
  const lines = Object.entries(news.lines).map(([chart, all]) => [
    chart,
    all.map((after, line) => join(known.lines[chart]?.[line] ?? [], after)),
  ]);
  return { start: known.start + surplus * known.stepMs, stepMs: known.stepMs, lines: Object.fromEntries(lines) };
}

/** Latencies have their lines even when nothing was asked. @param {Data} data */
function lengthOf(data) {
  return data.lines['total']?.[0]?.length ?? 0;
}

/** @param {HTMLElement} place */
function createChart(place) {
  const { chart = '', title = '', unit = '' } = place.dataset;
  const figure = place.closest('figure') ?? place;
  /** @type {UPlot | null} */
  let plot = null;
  /** @type {import('./lines.js').Line[]} */
  let lines = [];

  place.tabIndex = 0;
  // The time under the cursor is what the arrow keys change: screen readers say its text by themselves.
  place.role = 'slider';
  place.ariaLabel = `${title}, ${unit}: values over time`;
  place.ariaValueMin = '0';
  place.addEventListener('keydown', (event) => {
    const last = (plot?.data[0].length ?? 1) - 1;
    const now = plot?.cursor.idx ?? last;
    /** @type {Partial<Record<string, number>>} */
    const targets = {
      ArrowLeft: now - 1,
      ArrowDown: now - 1,
      ArrowRight: now + 1,
      ArrowUp: now + 1,
      PageDown: now - PAGE,
      PageUp: now + PAGE,
      Home: 0,
      End: last,
    };
    const target = targets[event.key];
    if (event.key === 'Escape') leave();
    if (target === undefined) return;
    event.preventDefault();
    goTo(Math.max(0, Math.min(last, target)));
  });
  place.addEventListener('blur', leave);
  new ResizeObserver(() => plot?.setSize(size())).observe(place);

  const size = () => ({ width: place.clientWidth, height: HEIGHT });

  function leave() {
    plot?.setCursor({ left: -10, top: -10 });
  }

  /** @param {number} column */
  function goTo(column) {
    const at = plot?.data[0][column];
    if (plot === null || at === undefined) return;
    plot.setCursor({ left: plot.valToPos(at, 'x'), top: plot.over.clientHeight / 2 });
    say(plot, column);
  }

  /** @param {UPlot} of @param {number} column */
  function say(of, column) {
    const at = of.data[0][column] ?? 0;
    const values = lines.map(({ name }, line) => {
      const value = of.data[line + 1]?.[column];
      return `${name} ${value === null ? 'nothing' : valueText(value, unit)}`;
    });
    place.ariaValueMax = String(of.data[0].length - 1);
    place.ariaValueNow = String(column);
    place.ariaValueText = [clockText(at), ...values].join(', ');
  }

  /** @param {UPlot.AlignedData} data */
  function create(data) {
    lines = linesOf(figure);
    const [muted, grid] = [colour('--muted'), colour('--grid')];
    const font = `12px ${getComputedStyle(document.body).fontFamily}`;
    const axis = { stroke: muted, font, ticks: { show: false }, grid: { stroke: grid, width: 1 } };
    plot = new UPlot(
      {
        ...size(),
        legend: { show: false },
        cursor: { sync: { key: 'preamble' }, drag: { x: false, y: false }, points: { size: 7 } },
        scales: { x: { time: true }, y: { range: (_, __, max) => [0, top(max, unit)] } },
        axes: [
          { ...axis, grid: { show: false }, size: 26, space: 64, values: (_, at) => at.map(minuteText) },
          { ...axis, size: 46, space: 34, values: (_, at) => at.map((value) => tick(value, unit)) },
        ],
        series: [{}, ...lines.map(({ stroke, dash }) => ({ stroke, dash, width: 1.75, points: { show: false } }))],
        plugins: [tooltip(place, unit, lines)],
      },
      data,
      place,
    );
  }

  return {
    /** @param {Data} data */
    draw({ start, stepMs, lines: all }) {
      const own = all[chart] ?? [];
      const length = lengthOf({ start, stepMs, lines: all });
      const times = Array.from({ length }, (_, column) => (start + (column + 1) * stepMs) / 1000);
      const wanted = linesOf(figure).map(({ name }) => name);
      if (wanted.join('\n') !== lines.map(({ name }) => name).join('\n')) this.forget();
      /** @type {UPlot.AlignedData} */
      const drawn = [times, ...own];
      if (plot === null) create(drawn);
      else plot.setData(drawn);
      if (plot !== null && document.activeElement !== place) say(plot, length - 1);
    },
    forget() {
      plot?.destroy();
      plot = null;
    },
  };
}

/** @param {number | null | undefined} max @param {string} unit */
function top(max, unit) {
  const most = (max ?? 0) * 1.15;
  if (unit.startsWith('%')) return Math.min(100, Math.max(LEAST_PERCENT, most));
  return most > 0 ? most : 1;
}

/** @param {number} value @param {string} unit */
function tick(value, unit) {
  const text = value >= 10_000 ? `${Number((value / 1000).toPrecision(3))}k` : String(Number(value.toPrecision(6)));
  return unit.startsWith('%') ? `${text}%` : text;
}
