import { element, type Markup, type MarkupChild } from '../../formats/markup.ts';
import { promptPath } from '../prompt-page-links.ts';

/** What to do where there is nothing to see yet. */
export function renderEmpty(what: string, ...advice: MarkupChild[]): Markup {
  return element('p', { class: 'empty' }, element('strong', {}, what), ' ', ...advice);
}

export function code(text: string): Markup {
  return element('code', {}, text);
}

/** In UTC; a browser that runs the page's script shows its own zone's. */
export function renderTime(at: Date): Markup {
  return element('time', { datetime: at.toISOString() }, at.toISOString().slice(11, 19));
}

/** The same with its day, for what may be long ago. */
export function renderMoment(at: Date): Markup {
  const text = at.toISOString().slice(0, 16).replace('T', ' ');
  return element('time', { datetime: at.toISOString(), class: 'moment' }, text);
}

/** A name and a version as a link to the prompt's own page; what is no prompt's label stays text. */
export function renderPrompt(label: string): MarkupChild {
  const [name = '', version] = label.split('@');
  if (version === undefined) return label;
  return element('a', { href: promptPath(name, version) }, label);
}

/** `held`: a refusal, which is neither good nor bad by itself. */
export type SignKind = 'good' | 'bad' | 'held' | 'neutral';

const shapes: Readonly<Record<SignKind, string>> = {
  good: 'M1.5 5.4 4 8 8.5 2.4',
  bad: 'M5 1 9.4 9H.6Z',
  held: 'M1.5 1.5H8.5V8.5H1.5Z',
  neutral: 'M2 5H8',
};

/** A state in words, with a sign of its own shape: nobody has to tell colours apart. */
export function renderState(kind: SignKind, text: string): Markup {
  const sign = element(
    'svg',
    { class: 'sign', viewBox: '0 0 10 10', 'aria-hidden': 'true' },
    element('path', { d: shapes[kind] }),
  );
  return element('span', { class: `state ${kind}` }, sign, text);
}

/** The piece of line that a row of a chart's table stands for. */
export function renderSwatch(line: number): Markup {
  return element(
    'svg',
    { class: `swatch line-${line}`, viewBox: '0 0 28 8', 'aria-hidden': 'true' },
    element('line', { x1: 1, y1: 4, x2: 27, y2: 4 }),
  );
}
