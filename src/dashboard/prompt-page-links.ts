import { element, type Markup } from '../formats/markup.ts';
import { isPromptName, isPromptVersion, type PromptReference } from '../prompts/name.ts';

export const PROMPTS_PATH = '/dashboard/prompts';

/** Escaped, though names and versions of prompts hold nothing that needs it: a label may come from elsewhere. */
export function promptPath(name: string, version: string): string {
  return `${PROMPTS_PATH}/${[...name.split('/'), version].map(encodeURIComponent).join('/')}`;
}

/** What stands behind {@link PROMPTS_PATH}: the last part is the version, as a name may have several; null for what is none. */
export function readPromptPath(path: string): (PromptReference & { readonly version: string }) | null {
  const slash = path.lastIndexOf('/');
  const [name, version] = [path.slice(0, slash), path.slice(slash + 1)];
  return slash > 0 && isPromptName(name) && isPromptVersion(version) ? { name, version } : null;
}

/** The way back, for the head of a page. */
export function renderWhere(...links: readonly (readonly [path: string, text: string])[]): Markup {
  const items = links.map(([href, text]) => element('li', {}, element('a', { href }, text)));
  return element('nav', { class: 'where', 'aria-label': 'Dashboard' }, element('ul', {}, ...items));
}
