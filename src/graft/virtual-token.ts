/**
 * `<|p3fa91c.007|>`: of a prompt whose digest begins with 3fa91c, row 7. Printable ASCII in lower case, which every Unicode normal form and
 * case folding leaves as it is, and without blanks, which templates trim; no spelling begins another. The digest is in it, so that a server
 * that was given another graft, or none, does not know the token: it then takes many tokens for the spelling, which can be seen.
 */
export const virtualTokenPattern = '^<\\|p[0-9a-f]{6,64}\\.[0-9]{3,8}\\|>$';

/** Digits of the digest: two prompts of one checkpoint that share them get longer ones. */
const DIGEST_DIGITS = 6;
/** Digits of the row, so that all spellings of a usual prompt are equally long. */
const ROW_DIGITS = 3;

/** The spellings of each prompt's rows, in order. */
export function spellVirtualTokens(prompts: readonly { digest: string; tokens: number }[]): string[][] {
  let digits = DIGEST_DIGITS;
  const distinct = () => new Set(prompts.map(({ digest }) => digest.slice(0, digits))).size;
  while (digits < 64 && distinct() < prompts.length) digits++;
  return prompts.map(({ digest, tokens }) =>
    Array.from(
      { length: tokens },
      (_, row) => `<|p${digest.slice(0, digits)}.${String(row).padStart(ROW_DIGITS, '0')}|>`,
    ),
  );
}
