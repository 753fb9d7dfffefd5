import type { PromptSegment } from '../../engine/generation.ts';
import { PreambleError } from '../../errors.ts';
import type { SoftPrompt } from '../../prompts/soft-prompt.ts';

/**
 * Queries under one prompt, taken apart into what all of them begin with and what differs. The model's input for query i is
 *
 *   before · prompt's rows · after · rows[i]
 *
 * and its last token, the end of the generation prompt, is the last of `rows[i]`, which is never empty.
 */
export interface QueryLayout {
  readonly before: readonly number[];
  /** Null where no soft prompt stands there; then `after` is empty. */
  readonly prompt: SoftPrompt | null;
  readonly after: readonly number[];
  readonly rows: readonly (readonly number[])[];
}

/** @param encoded one query each, as `encodeQuery` gives it, all under the same prompt */
export function layOutQueries(encoded: readonly (readonly PromptSegment[])[]): QueryLayout {
  const parts = encoded.map(takeApart);
  const [first] = parts;
  if (first === undefined) return { before: [], prompt: null, after: [], rows: [] };
  const { prompt, before } = first;
  const varying = parts.map((part) => (prompt === null ? part.before : part.after));
  if (prompt !== null && parts.some((part) => part.prompt !== prompt || part.before.join() !== before.join())) {
    throw new PreambleError('model_unsupported', "The model's chat template puts the query in front of the prompt.", {
      action: 'Choose a prompt for the other position.',
    });
  }
  const shared = commonLength(varying);
  const head = varying[0]?.slice(0, shared) ?? [];
  const rows = varying.map((tokens) => tokens.slice(shared));
  return prompt === null ? { before: head, prompt, after: [], rows } : { before, prompt, after: head, rows };
}

/** Tokens that all begin with; at least one of each is left over. */
function commonLength(all: readonly (readonly number[])[]): number {
  const [first = [], ...others] = all;
  const most = Math.min(...all.map(({ length }) => length)) - 1;
  let length = 0;
  while (length < most && others.every((tokens) => tokens[length] === first[length])) length++;
  return length;
}

interface Parts {
  before: readonly number[];
  prompt: SoftPrompt | null;
  after: readonly number[];
}

function takeApart(segments: readonly PromptSegment[]): Parts {
  const before: number[] = [];
  const after: number[] = [];
  let prompt: SoftPrompt | null = null;
  for (const segment of segments) {
    if ('softPrompt' in segment) prompt = segment.softPrompt;
    else (prompt === null ? before : after).push(...segment.tokens);
  }
  return { before, prompt, after };
}
