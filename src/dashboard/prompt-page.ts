import { anchorsViewPicture } from '../dro/pictures/anchors-picture.ts';
import { viewRepresentations } from '../dro/pictures/representations.ts';
import { hasIntervals, trainingPicture } from '../dro/pictures/training-picture.ts';
import { renderPage } from '../dro/report/page.ts';
import { renderFigure, renderSection, type Section } from '../dro/report/report-parts.ts';
import { anchorsCaption } from '../dro/report/report-sections.ts';
import { reportStyle } from '../dro/report/report-style.ts';
import { element, type Markup, type MarkupChild } from '../formats/markup.ts';
import type { PromptManifest } from '../prompts/manifest.ts';
import { promptLabel } from '../prompts/name.ts';
import type { PromptVersion } from '../prompts/registry.ts';
import { curveOf } from './prompt-page-curve.ts';
import { headlineFigures, renderEvaluations } from './prompt-page-evaluation.ts';
import {
  type Rows,
  renderModelFacts,
  renderPromptFacts,
  renderQuerySets,
  renderTrainingFacts,
} from './prompt-page-facts.ts';
import { PROMPTS_PATH, promptPath, renderWhere } from './prompt-page-links.ts';
import { type FoundRollouts, renderRollouts, renderUses } from './prompt-page-service.ts';
import { promptStyle } from './prompt-page-style.ts';
import { type PromptTraffic, refusedText, renderTraffic } from './prompt-page-traffic.ts';
import type { PromptUse } from './prompt-page-uses.ts';

export const promptPageStyles = [reportStyle, promptStyle];

/** All that is told of one version. */
export interface PromptPage {
  readonly version: PromptVersion;
  readonly rows: Rows;
  readonly uses: readonly PromptUse[];
  readonly rollouts: FoundRollouts;
  readonly traffic: PromptTraffic;
  /** Of other content that lies in a directory under the same version; null where there is none. */
  readonly otherDigest: string | null;
}

export function renderPromptPage(page: PromptPage): string {
  const { version, uses, traffic, otherDigest } = page;
  const sections = sectionsOf(page);
  const links = sections.map(({ id, title }) => element('li', {}, element('a', { href: `#${id}` }, title)));
  return renderPage({
    title: `${version.label} · Preamble`,
    styles: promptPageStyles,
    body: [
      element(
        'header',
        {},
        renderWhere(['/dashboard', 'Dashboard'], [PROMPTS_PATH, 'Prompts']),
        element('h1', {}, version.label),
        otherDigest === null
          ? null
          : element(
              'p',
              { class: 'warning' },
              `Other content lies in its directory (${otherDigest.slice(0, 12)}…): it is used from the next start or reload on.`,
            ),
        element(
          'dl',
          { class: 'headline' },
          card('Answers for', servesText(uses), 'on this gateway'),
          card('Refused in the last hour', refusedText(traffic.hour).split(' ')[0] ?? '', refusedRemark(traffic)),
          ...headlineCards(version.manifest),
        ),
        element('nav', { 'aria-label': 'Sections' }, element('ul', {}, ...links)),
      ),
      element('main', {}, ...sections.map(renderSection)),
    ],
  });
}

/** A version that is not here, or whose files are damaged. */
export function renderMissingPrompt(what: string, versions: readonly PromptVersion[]): string {
  return renderPage({
    title: 'No such prompt · Preamble',
    styles: promptPageStyles,
    body: [
      element(
        'header',
        {},
        renderWhere(['/dashboard', 'Dashboard'], [PROMPTS_PATH, 'Prompts']),
        element('h1', {}, 'No such prompt'),
      ),
      element(
        'main',
        {},
        element('p', {}, what),
        versions.length === 0
          ? null
          : element('ul', {}, ...versions.map((version) => element('li', {}, linkTo(version)))),
      ),
    ],
  });
}

export function linkTo({ name, version }: Pick<PromptVersion, 'name' | 'version'>): Markup {
  return element('a', { href: promptPath(name, version) }, promptLabel(name, version));
}

function sectionsOf({ version, rows, uses, rollouts, traffic }: PromptPage): Section[] {
  const { manifest, digest } = version;
  const training = [...renderCurve(manifest), ...renderRepresentations(manifest), ...renderTrainingFacts(manifest)];
  const querySets = renderQuerySets(manifest);
  return [
    {
      id: 'service',
      title: 'In service',
      content: [
        renderUses(uses),
        renderRollouts(rollouts, version),
        traffic.sets.length === 0
          ? element('p', {}, 'Nobody asked for it on this gateway in the last hour.')
          : renderTraffic(traffic),
      ],
    },
    {
      id: 'evaluation',
      title: 'Evaluation',
      content:
        manifest.evaluation.length === 0
          ? [element('p', {}, 'It has not been evaluated: preamble evaluate --write adds figures to its manifest.')]
          : renderEvaluations(manifest),
    },
    ...(training.length === 0 ? [] : [{ id: 'training', title: 'Training', content: training }]),
    ...(querySets.length === 0 ? [] : [{ id: 'queries', title: 'Query sets', content: querySets }]),
    { id: 'prompt', title: 'The prompt', content: renderPromptFacts(manifest, digest, rows) },
    { id: 'model', title: 'The model', content: renderModelFacts(manifest) },
  ];
}

function renderCurve({ training }: PromptManifest): MarkupChild[] {
  const curve = training && curveOf(training);
  if (!curve) return [];
  const { data, stride } = curve;
  return [
    renderFigure(
      (style) => trainingPicture(data, style),
      `Above: the terms of the loss, weighted as they are in it; where there are many steps, lines are means over neighbouring ones and the single values stand faint behind them${stride === 1 ? '' : `, one of ${stride} steps`}. Below: refusals on the dev split, measured on answers${hasIntervals(data) ? ', with 95% intervals' : '; the manifest does not say of how many, so there are no intervals'}. The dotted line marks the step whose prompt was kept.`,
    ),
  ];
}

function renderRepresentations({ training }: PromptManifest): MarkupChild[] {
  const representations = training?.representations;
  if (representations === undefined) return [];
  const view = viewRepresentations(representations);
  return [
    element('h3', {}, 'Representations, before and after'),
    renderFigure((style) => anchorsViewPicture(view, style), anchorsCaption),
  ];
}

function card(text: string, figure: string, remark: string): Markup {
  return element(
    'div',
    {},
    element('dt', {}, text),
    element('dd', { class: 'figure' }, figure),
    element('dd', { class: 'remark' }, remark),
  );
}

function servesText(uses: readonly PromptUse[]): string {
  const models = [...new Set(uses.map(({ model }) => model))];
  if (models.length === 0) return 'no model';
  return models.length === 1 ? (models[0] ?? '') : `${models.length} models`;
}

function refusedRemark({ hour }: PromptTraffic): string {
  const interval = refusedText(hour).split(' ').slice(1).join(' ');
  const of = `${hour.answers} ${hour.answers === 1 ? 'answer' : 'answers'}`;
  return hour.answers === 0 ? 'no answers' : `${interval}, ${of}`;
}

function headlineCards(manifest: PromptManifest): Markup[] {
  const figures = headlineFigures(manifest);
  if (figures === null) return [];
  const share = (rate: number) => `${(rate * 100).toFixed(1)}%`;
  const each = (text: string, { prompt, none }: (typeof figures)['harmful']) => {
    const [low, high] = prompt.interval.map((bound) => (bound * 100).toFixed(1));
    const compared = none === undefined ? '' : `; no prompt: ${share(none.rate)}`;
    return card(`${text}, ${figures.set}`, share(prompt.rate), `(${low} to ${high})${compared}`);
  };
  return [each('Harmful answered', figures.harmful), each('Harmless refused', figures.harmless)];
}
