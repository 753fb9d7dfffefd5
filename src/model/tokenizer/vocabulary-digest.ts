import { createHash } from 'node:crypto';

/**
 * SHA-256, hex, of what a tokenizer's ids mean. The canonical form is one line per token, by ascending id: the id in
 * decimal, a tab, the token as `tokenizer.json` spells it as the hex of its UTF-8 bytes, a line feed. Added tokens are
 * listed like the others, and take precedence at their id. Merges, flags and the order in the file don't matter.
 */
export function vocabularyDigest(tokens: ReadonlyMap<number, string>): string {
  const hash = createHash('sha256');
  for (const id of [...tokens.keys()].sort((a, b) => a - b)) {
    hash.update(`${id}\t${Buffer.from(tokens.get(id) ?? '', 'utf8').toString('hex')}\n`);
  }
  return hash.digest('hex');
}
