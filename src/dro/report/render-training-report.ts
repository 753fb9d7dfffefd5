import { element, type Markup } from '../../formats/markup.ts';
import { isMeasured, rateText } from '../pictures/rate.ts';
import { renderPage } from './page.ts';
import type { ReportedEvaluation, TrainingReport } from './report-data.ts';
import { renderSection } from './report-parts.ts';
import { reportSections } from './report-sections.ts';
import { contentSecurityPolicy, reportStyle } from './report-style.ts';

/** One HTML file that holds all that a training has to show for itself. It fetches nothing, runs nothing and reads the same as XML. */
export function renderTrainingReport(report: TrainingReport): string {
  const title = `Training report: ${report.name} ${report.version}`;
  const sections = reportSections(report);
  const links = sections.map(({ id, title: text }) => element('li', {}, element('a', { href: `#${id}` }, text)));
  const [evaluation] = report.evaluations;
  return renderPage({
    title,
    styles: [reportStyle],
    metas: [element('meta', { 'http-equiv': 'Content-Security-Policy', content: contentSecurityPolicy })],
    body: [
      element(
        'header',
        {},
        element('h1', {}, title),
        evaluation === undefined ? null : headline(evaluation),
        element('nav', { 'aria-label': 'Sections' }, element('ul', {}, ...links)),
      ),
      element('main', {}, ...sections.map(renderSection)),
    ],
  });
}

/** The two figures that matter, against the first condition. */
function headline({ conditions, set }: ReportedEvaluation): Markup | null {
  const [first] = conditions;
  const own = conditions.find(({ highlighted }) => highlighted);
  if (first === undefined || own === undefined) return null;
  const card = (text: string, key: 'harmfulAnswered' | 'harmlessRefused') => {
    const [rate, before] = [own[key], first[key]];
    if (!isMeasured(rate)) return null;
    const compared = own === first || !isMeasured(before) ? '' : `; ${first.name}: ${shareText(before.rate)}`;
    return element(
      'div',
      {},
      element('dt', {}, text),
      element('dd', { class: 'figure' }, shareText(rate.rate)),
      element('dd', { class: 'remark' }, `${rateText(rate)}, n = ${rate.n}${compared}`),
    );
  };
  return element(
    'dl',
    { class: 'headline' },
    card(`Harmful queries answered, ${set}`, 'harmfulAnswered'),
    card(`Harmless queries refused, ${set}`, 'harmlessRefused'),
  );
}

function shareText(rate: number): string {
  return `${(rate * 100).toFixed(1)}%`;
}
