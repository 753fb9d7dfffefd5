import type { SpelledPrompts } from '../../src/backends/virtual-tokens/graft.ts';
import { spellVirtualTokens } from '../../src/graft/virtual-token.ts';
import { FIRST_VIRTUAL_ID } from './graft-record.ts';

const VIRTUAL = /<\|p[0-9a-f]{6,64}\.\d{3,8}\|>/g;

/** Tokens of a request as a stand-in counts them: words, and each spelled virtual token as one where the model knows them, else as ten. */
export function countSpelled(body: string, knowsThem: boolean): number {
  const words = body.replace(VIRTUAL, knowsThem ? ' v ' : ' v v v v v v v v v v ').split(/[\s"]+/);
  return words.filter((word) => word !== '').length;
}

/** A graft's prompts as backends know them, without its record. */
export function spelledPrompts(
  made: readonly { digest: string; tokens: number }[],
  firstId = FIRST_VIRTUAL_ID,
): SpelledPrompts {
  let next = firstId;
  const all = spellVirtualTokens(made).map((texts, index) => ({
    label: `test/${index}@1.0.0`,
    position: 'system' as const,
    ids: texts.map(() => next++),
    texts,
    spelled: texts.join(''),
  }));
  return {
    all,
    ids: new Set(all.flatMap(({ ids }) => ids)),
    find: (digest) => all[made.findIndex((each) => each.digest === digest)] ?? null,
    path: 'preamble-graft.json',
  };
}
