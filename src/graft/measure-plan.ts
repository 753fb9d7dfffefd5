import { openEmbeddingTable } from '../model/embedding-table.ts';
import { type HeadRecord, isHeadRecord } from './head-record.ts';
import { measureHead } from './measure/measure-head.ts';
import { shippedQueries } from './measured-queries.ts';
import type { GraftPlan } from './plan.ts';
import type { Staging } from './staging.ts';

/** The output row for a plan's virtual tokens, measured once for all runs that go on with the same staging directory. */
export async function measurePlan(
  plan: GraftPlan,
  staging: Staging,
  stored: (row: Float32Array) => Float32Array,
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
            softPrompt,
            position,
          })),
          stored,
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
