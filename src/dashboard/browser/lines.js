/**
 * How a line is drawn. The style sheet says it, once, for the pieces of line in the table below a chart; the canvas asks there.
 *
 * @typedef {{ name: string, stroke: string, dash: number[] }} Line
 */

/**
 * The lines of the chart that this figure holds, in their order.
 *
 * @param {Element} figure
 * @returns {Line[]}
 */
export function linesOf(figure) {
  return [...figure.querySelectorAll('.legend tbody tr')].flatMap((row) => {
    const sample = row.querySelector('.swatch line');
    if (sample === null) return [];
    const { stroke, strokeDasharray } = getComputedStyle(sample);
    const dash = strokeDasharray === 'none' ? [] : strokeDasharray.split(/[\s,]+/).map(Number.parseFloat);
    return [{ name: row.querySelector('.name')?.textContent ?? '', stroke, dash }];
  });
}

/** @param {string} name */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const minute = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

/** @param {number} seconds since 1970 */
export function clockText(seconds) {
  return clock.format(new Date(seconds * 1000));
}

/** @param {number} seconds since 1970 */
export function minuteText(seconds) {
  return minute.format(new Date(seconds * 1000));
}

/** @param {number | null | undefined} value @param {string} unit */
export function valueText(value, unit) {
  if (value === null || value === undefined) return '–';
  if (unit.startsWith('%')) return `${value.toFixed(1)}%`;
  const digits = value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
  return unit === 'milliseconds' ? `${digits} ms` : `${digits}/s`;
}
