import type { TemplateMessage } from './template-messages.ts';

export interface TemplateTraits {
  /** A system message's text appears in the rendering, once. */
  readonly systemRole: boolean;
  /** `list`: content is given as a list of parts, `string`: as one text; vLLM's `--chat-template-content-format`. */
  readonly contentFormat: 'string' | 'list';
}

/** Words without letters that a template's logic could look for. */
const FIRST = 'qqfirstqq';
const SECOND = 'qqsecondqq';
const USER = 'qquserqq';

type Render = (messages: readonly TemplateMessage[]) => string | null;

/**
 * Finds out by rendering, since names and texts of templates tell nothing reliable. A list is given where every role that
 * the template knows takes one; a template that would print a list as JSON is given text.
 */
export function readTraits(render: Render): TemplateTraits {
  const parts = [FIRST, SECOND].map((text) => ({ type: 'text', text }));
  const takesList = isClean(render([{ role: 'user', content: parts }]), [FIRST, SECOND]);
  const asText = rendersSystem(render, FIRST, [FIRST]);
  const asList = rendersSystem(render, parts, [FIRST, SECOND]);
  const contentFormat = takesList && (asList || !asText) ? 'list' : 'string';
  return { systemRole: contentFormat === 'list' ? asList : asText, contentFormat };
}

function rendersSystem(render: Render, content: TemplateMessage['content'], expected: readonly string[]): boolean {
  const listOfText = [{ type: 'text', text: USER }];
  const user = typeof content === 'string' ? USER : listOfText;
  return isClean(
    render([
      { role: 'system', content },
      { role: 'user', content: user },
    ]),
    [...expected, USER],
  );
}

/** Each text once, in order, and none within quotes as a printed list would have it. */
function isClean(rendered: string | null, texts: readonly string[]): boolean {
  if (rendered === null) return false;
  return texts.every((text) => {
    const at = rendered.indexOf(text);
    const quoted = /['"]/.test(rendered.charAt(at - 1)) && /['"]/.test(rendered.charAt(at + text.length));
    return at >= 0 && at === rendered.lastIndexOf(text) && !quoted;
  });
}
