import { createHash } from 'node:crypto';
import type { Query } from './query.ts';

/** SHA-256, hex, of what decides about a training or an evaluation: ids, labels and texts in their order, whatever the file's form. */
export function digestOfQueries(queries: readonly Query[]): string {
  const lines = queries.map(({ id, label, text }) => JSON.stringify([id, label, text]));
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}
