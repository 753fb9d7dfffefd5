import { isObject } from '../openai/validate.ts';

/** Characters; enough to see what it is about. Requests may be megabytes, and fifty are kept. */
const MAX_EXCERPT = 400;

/** The beginning of a text, of the last message's text where there are messages, or of the first of several prompts. */
export function excerptOf(content: unknown): string {
  const text = textOf(content);
  return text.length > MAX_EXCERPT ? `${text.slice(0, MAX_EXCERPT)}…` : text;
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return isObject(content) ? textOf(content['content'] ?? content['text']) : '';
  const parts: readonly unknown[] = content;
  if (parts.every((part) => typeof part === 'string')) return parts[0] ?? '';
  if (parts.some((part) => isObject(part) && 'role' in part)) return textOf(parts.at(-1));
  return parts
    .map(textOf)
    .filter((text) => text !== '')
    .join(' ');
}
