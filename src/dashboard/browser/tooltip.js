import { clockText, valueText } from './lines.js';

/** @typedef {import('./uplot.js').default} Plot */
/** @typedef {import('uplot').Plugin} Plugin */

const SVG = 'http://www.w3.org/2000/svg';
const GAP = 12;

/**
 * What each line says at the time under the pointer, or at the one that the arrow keys chose. For eyes only: the plot's own text says the same to
 * those who do not see it.
 *
 * @param {HTMLElement} place of the plot
 * @param {string} unit
 * @param {readonly import('./lines.js').Line[]} lines
 * @returns {Plugin}
 */
export function tooltip(place, unit, lines) {
  const tip = document.createElement('div');
  tip.className = 'tip';
  tip.ariaHidden = 'true';
  tip.hidden = true;
  const time = document.createElement('p');
  const values = lines.map(({ name }, line) => {
    const row = document.createElement('p');
    const value = document.createElement('b');
    row.append(swatch(line), name, value);
    tip.append(row);
    return value;
  });
  tip.prepend(time);

  /** @param {Plot} plot */
  function show(plot) {
    const { idx, left = -1 } = plot.cursor;
    const isHere = plot.over.matches(':hover') || document.activeElement === place;
    const at = typeof idx === 'number' ? plot.data[0][idx] : undefined;
    tip.hidden = !isHere || at === undefined || left < 0;
    if (at === undefined || typeof idx !== 'number' || tip.hidden) return;
    time.textContent = clockText(at);
    for (const [line, value] of values.entries()) value.textContent = valueText(plot.data[line + 1]?.[idx], unit);
    const width = plot.over.clientWidth;
    const x = left + GAP + tip.offsetWidth > width ? left - GAP - tip.offsetWidth : left + GAP;
    tip.style.left = `${Math.max(0, Math.min(x, width - tip.offsetWidth))}px`;
  }

  return {
    hooks: {
      init: (plot) => plot.over.append(tip),
      setCursor: show,
    },
  };
}

/** @param {number} line */
function swatch(line) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', `swatch line-${line}`);
  svg.setAttribute('viewBox', '0 0 28 8');
  const stroke = document.createElementNS(SVG, 'line');
  for (const [name, value] of [
    ['x1', '1'],
    ['y1', '4'],
    ['x2', '27'],
    ['y2', '4'],
  ])
    stroke.setAttribute(name ?? '', value ?? '');
  svg.append(stroke);
  return svg;
}
