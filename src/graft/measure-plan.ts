import { openEmbeddingTable } from '../model/embedding-table.ts';
import { type HeadRecord, isHeadRecord } from './head-record.ts';
import { measureHead } from './measure/measure-head.ts';
import { shippedQueries } from './measured-queries.ts';
import type { GraftPlan } from './plan.ts';
import type { Staging } from './staging.ts';

/** What a server reads of rows, once they were written in a matrix' own type. */
interface StoredRows {
  embeddings(rows: Float32Array): Float32Array;
  head(row: Float32Array): Float32Array;
}

/**
 * The output row for a plan's virtual tokens, measured once for all runs that go on with the same staging directory. All is measured as it will be read:
 * four bits move a soft prompt, and with it the states.
 */
export async function measurePlan(
  plan: GraftPlan,
  staging: Staging,
  stored: StoredRows,
  onProgress: (share: number) => void,
): Promise<HeadRecord> {
  return await staging.remembered('head.json', isHeadRecord, async () => {
    const { checkpoint, tokenizer, template, prompts, placement } = plan;
    const queries = await shippedQueries();
    const embeddings = openEmbeddingTable(checkpoint);
    const virtual = new Set(placement.ids);
    try {
      const { row, scale, margin } = await measureHead(
        checkpoint,
        { tokenizer, template, embeddings },
        {
          queries: queries.texts,
          prompts: prompts.map(({ name, version, softPrompt, position }) => ({
            label: `${name}@${version}`,
            softPrompt: { ...softPrompt, values: stored.embeddings(softPrompt.values) },
            position,
          })),
          stored: stored.head,
          isReal: (id) => !virtual.has(id) && tokenizer.tokenBytes(id).length > 0,
          onProgress: (done, total) => onProgress(done / total),
        },
      );
      return { row: [...row], scale, margin: { ...margin, queries: queries.files } };
    } finally {
      embeddings.close();
    }
  });
}
