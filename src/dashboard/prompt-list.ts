import { renderPage } from '../dro/report/page.ts';
import { renderTable } from '../dro/report/report-parts.ts';
import { element, type MarkupChild } from '../formats/markup.ts';
import type { KnownPrompt, KnownPrompts } from '../prompts/known-prompts.ts';
import { linkTo, promptPageStyles } from './prompt-page.ts';
import { headlineFigures } from './prompt-page-evaluation.ts';
import { madeBy } from './prompt-page-facts.ts';
import { renderWhere } from './prompt-page-links.ts';
import { type PromptTraffic, refusedText } from './prompt-page-traffic.ts';
import type { PromptUse } from './prompt-page-uses.ts';

export interface ListedPrompt {
  readonly version: KnownPrompt;
  readonly uses: readonly PromptUse[];
  readonly traffic: PromptTraffic | undefined;
}

/** Every version that the gateway uses or finds in its directories. */
export function renderPromptList(listed: readonly ListedPrompt[], broken: KnownPrompts['broken']): string {
  return renderPage({
    title: 'Prompts · Preamble',
    styles: promptPageStyles,
    body: [
      element('header', {}, renderWhere(['/dashboard', 'Dashboard']), element('h1', {}, 'Prompts')),
      element('main', {}, renderListed(listed), renderBroken(broken)),
    ],
  });
}

function renderListed(listed: readonly ListedPrompt[]): MarkupChild {
  if (listed.length === 0) return element('p', {}, 'There are no prompts: preamble prompt from-text makes one.');
  return renderTable<ListedPrompt>({
    caption: 'Versions in use and in the prompt directories; in brackets, 95% intervals',
    rows: listed,
    columns: [
      { heading: 'Prompt', cell: ({ version }) => linkTo(version) },
      { heading: 'Answers for', cell: ({ uses, version }) => usesText(uses, version) },
      { heading: 'Asked, 1 hour', numeric: true, cell: ({ traffic }) => String(traffic?.hour.requests ?? 0) },
      { heading: 'Refused', numeric: true, cell: ({ traffic }) => (traffic ? refusedText(traffic.hour) : '–') },
      { heading: 'Harmful answered, evaluated', numeric: true, cell: ({ version }) => evaluated(version, 'harmful') },
      { heading: 'Harmless refused, evaluated', numeric: true, cell: ({ version }) => evaluated(version, 'harmless') },
      { heading: 'Made by', cell: ({ version }) => madeBy(version.manifest) },
    ],
    isHighlighted: ({ uses }) => uses.length > 0,
  });
}

function usesText(uses: readonly PromptUse[], { isUsed }: KnownPrompt): string {
  const models = [
    ...new Set(uses.map(({ model, variant }) => (variant === 'stable' ? model : `${model} (${variant})`))),
  ];
  if (models.length > 0) return models.join(', ');
  return isUsed ? 'nobody now' : '–';
}

function evaluated({ manifest }: KnownPrompt, label: 'harmful' | 'harmless'): string {
  const figure = headlineFigures(manifest)?.[label].prompt;
  if (figure === undefined) return '–';
  const digits = (value: number) => (value * 100).toFixed(1);
  const [low, high] = figure.interval.map(digits);
  return `${digits(figure.rate)}% (${low} to ${high})`;
}

function renderBroken(broken: KnownPrompts['broken']): MarkupChild {
  if (broken.length === 0) return null;
  return renderTable<KnownPrompts['broken'][number]>({
    caption: 'Damaged: no gateway takes these',
    rows: broken,
    columns: [
      { heading: 'Prompt', cell: ({ label }) => label },
      { heading: 'Reason', cell: ({ error }) => error.message },
    ],
  });
}
