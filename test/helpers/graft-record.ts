import { type Graft, writeGraft } from '../../src/graft/graft-file.ts';
import { spellVirtualTokens } from '../../src/graft/virtual-token.ts';

export interface RecordedPrompt {
  name: string;
  version: string;
  digest: string;
  position?: 'system' | 'user';
  /** How many rows. */
  tokens: number;
}

/** The id of the first virtual token: what SmolLM2's vocabulary would grow by. */
export const FIRST_VIRTUAL_ID = 49152;

/** `preamble-graft.json` as `preamble graft` would write it for such prompts; only what the gateway reads of it means anything. */
export async function writeGraftRecord(directory: string, prompts: readonly RecordedPrompt[]): Promise<Graft> {
  const spelled = spellVirtualTokens(prompts);
  let next = FIRST_VIRTUAL_ID;
  const made = 'ab'.repeat(32);
  const graft: Graft = {
    format: 'preamble.graft/1',
    tool: 'preamble 0.1.0',
    created: '2026-11-24T12:00:00.000Z',
    source: {
      modelId: 'tests/made-up',
      architecture: 'llama',
      hiddenSize: 4,
      vocabSize: FIRST_VIRTUAL_ID,
      embeddingsSha256: made,
      tokenizerSha256: made,
    },
    result: {
      format: 'hf',
      vocabSize: FIRST_VIRTUAL_ID + 4096,
      embeddingsSha256: made,
      tokenizerSha256: made,
      untied: true,
    },
    prompts: prompts.map(({ name, version, digest, position = 'system' }, index) => {
      const texts = spelled[index] ?? [];
      return {
        name,
        version,
        digest,
        position,
        tokens: texts.map((text, row) => ({ id: next++, text, row })),
        spelled: texts.join(''),
      };
    }),
    head: { rule: 'opposed', direction: 'made up', scale: 3, rows: 4096 },
    margin: {
      worst: 1,
      positions: 5000,
      states: [{ prompt: null, positions: 5000, worst: 1 }],
      queries: [],
    },
    restore: null,
  };
  await writeGraft(directory, graft);
  return graft;
}
