import type { AddedToken } from './added-tokens.ts';
import type { TokenizerConfigJson } from './tokenizer-file.ts';

/** The tokens that a tokenizer's configuration names, as chat templates see them. */
export interface SpecialTokens {
  readonly bos: string | null;
  readonly eos: string | null;
  readonly unk: string | null;
  readonly pad: string | null;
}

export function readSpecialTokens(config: TokenizerConfigJson): SpecialTokens {
  const content = (token: TokenizerConfigJson['bos_token']) =>
    typeof token === 'object' ? (token?.content ?? null) : (token ?? null);
  return {
    bos: content(config.bos_token),
    eos: content(config.eos_token),
    unk: content(config.unk_token),
    pad: content(config.pad_token),
  };
}

/** Ids that a post-processor puts around a text. */
export interface Surrounding {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** What a `TemplateProcessing` post-processor adds to a single text; nothing for the others, which only move offsets. */
export function readSurrounding(postProcessor: unknown, idOf: (token: string) => number | undefined): Surrounding {
  const before: number[] = [];
  const after: number[] = [];
  let seen = false;
  for (const piece of singleTemplate(postProcessor)) {
    if (typeof piece !== 'object' || piece === null) continue;
    if ('Sequence' in piece) seen = true;
    const special = 'SpecialToken' in piece ? piece.SpecialToken : null;
    const token = typeof special === 'object' && special !== null && 'id' in special ? special.id : null;
    const id = typeof token === 'string' ? idOf(token) : undefined;
    if (id !== undefined) (seen ? after : before).push(id);
  }
  return { before, after };
}

function singleTemplate(component: unknown): readonly unknown[] {
  if (typeof component !== 'object' || component === null || !('type' in component)) return [];
  if (component.type === 'Sequence' && 'processors' in component && Array.isArray(component.processors)) {
    return component.processors.flatMap(singleTemplate);
  }
  const isTemplate =
    component.type === 'TemplateProcessing' && 'single' in component && Array.isArray(component.single);
  return isTemplate ? (component.single as unknown[]) : [];
}

/** Every id and its token, added tokens last, so that they win. */
export function listVocabulary(
  vocab: Readonly<Record<string, number>>,
  added: readonly AddedToken[],
): Map<number, string> {
  const tokens = new Map<number, string>();
  for (const [token, id] of Object.entries(vocab)) tokens.set(id, token);
  for (const token of added) tokens.set(token.id, token.content);
  return tokens;
}
