import { createHash } from 'node:crypto';
import type { PromptPosition, SoftPrompt } from '../../prompts/soft-prompt.ts';

/** What stands in front of a query, and how it is named: `digest` is its identity in caches, `label` what a table shows. */
export type PromptUnderTest = NamedPrompt &
  (
    | { readonly kind: 'none' }
    /** A system message (in front of the user's own words for templates that have none). */
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'soft'; readonly prompt: SoftPrompt; readonly position: PromptPosition }
  );

export interface NamedPrompt {
  readonly label: string;
  /** SHA-256, hex. */
  readonly digest: string;
}

export const noPrompt: PromptUnderTest = { kind: 'none', label: 'none', digest: sha256('none') };

export function textPrompt(label: string, text: string): PromptUnderTest {
  return { kind: 'text', label, digest: sha256(`text ${text}`), text };
}

export function softPrompt(prompt: SoftPrompt, position: PromptPosition): PromptUnderTest {
  return { kind: 'soft', label: prompt.label, digest: sha256(`${position} ${prompt.digest}`), prompt, position };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
