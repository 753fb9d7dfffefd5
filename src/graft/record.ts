import { version as toolVersion } from '../version.ts';
import { GRAFT_FORMAT, type Graft } from './graft-file.ts';
import type { HeadRecord } from './head-record.ts';
import type { GraftPlan } from './plan.ts';

/** What differs between a directory and a GGUF file. */
export interface WrittenGraft {
  readonly result: Omit<Graft['result'], 'vocabSize' | 'untied'>;
  readonly restore: Graft['restore'];
}

/** The content of `preamble-graft.json`. */
export function recordGraft(plan: GraftPlan, head: HeadRecord, { result, restore }: WrittenGraft): Graft {
  const { identity, placement, checkpoint, prompts } = plan;
  const { id: modelId, architecture, hiddenSize, vocabSize, embeddingsSha256, tokenizerSha256 } = identity;
  const virtual = new Set(placement.ids);
  for (let row = vocabSize; row < placement.vocabSize; row++) virtual.add(row);
  return {
    format: GRAFT_FORMAT,
    tool: `preamble ${toolVersion}`,
    created: new Date().toISOString(),
    source: { modelId, architecture, hiddenSize, vocabSize, embeddingsSha256, tokenizerSha256 },
    result: { ...result, vocabSize: placement.vocabSize, untied: checkpoint.config.tiedEmbeddings },
    prompts: prompts.map(({ softPrompt: _, ...prompt }) => prompt),
    head: {
      rule: 'opposed',
      direction: 'ridge regression of 1 on final states',
      scale: head.scale,
      rows: virtual.size,
    },
    margin: head.margin,
    restore,
  };
}
