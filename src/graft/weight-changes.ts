import type { CheckpointTensor } from '../model/checkpoint.ts';
import { EMBEDDINGS_TENSOR } from '../model/embeddings-digest.ts';
import { encodeRows } from './encode-rows.ts';
import type { GraftPlan } from './plan.ts';
import type { ChangedRows, WeightChanges } from './rewrite-weights.ts';

export const HEAD_TENSOR = 'lm_head.weight';

/** The matrices that a graft changes where they lie; a tied model has one, and gets another. */
export function changedTensors({ checkpoint }: GraftPlan): { name: string; tensor: CheckpointTensor }[] {
  const names = checkpoint.config.tiedEmbeddings ? [EMBEDDINGS_TENSOR] : [EMBEDDINGS_TENSOR, HEAD_TENSOR];
  return names.map((name) => ({ name, tensor: checkpoint.tensor(name) }));
}

/** The embedding rows of every virtual token by id, in the matrix' own dtype. */
export function virtualRows({ prompts, dtype, checkpoint }: GraftPlan): Map<number, Uint8Array> {
  const { hiddenSize } = checkpoint.config;
  const rows = new Map<number, Uint8Array>();
  for (const { name, version, tokens, softPrompt } of prompts) {
    const label = `${name}@${version}`;
    for (const { id, row } of tokens) {
      rows.set(id, encodeRows(softPrompt.values.subarray(row * hiddenSize, (row + 1) * hiddenSize), dtype, label));
    }
  }
  return rows;
}

/** The changes to one file of the checkpoint. `headRow` is the output row of every virtual token, and of rows that only fill up. */
export function weightChanges(plan: GraftPlan, file: string, headRow: Float32Array): WeightChanges {
  const { placement, dtype, checkpoint } = plan;
  const embedded: ChangedRows = { rows: placement.vocabSize, changed: virtualRows(plan) };
  const row = encodeRows(headRow, dtype, 'the output row');
  const head: ChangedRows = {
    rows: placement.vocabSize,
    changed: new Map(placement.ids.map((id) => [id, row])),
    filler: row,
  };
  const tensors = new Map<string, ChangedRows>();
  for (const { name, tensor } of changedTensors(plan)) {
    if (tensor.file === file) tensors.set(name, name === HEAD_TENSOR ? head : embedded);
  }
  // A tied model's output matrix is its embeddings: there the virtual rows would be generated. It stands beside them from now on.
  const isNew = checkpoint.config.tiedEmbeddings && tensors.has(EMBEDDINGS_TENSOR);
  const added: WeightChanges['added'] = new Map(isNew ? [[HEAD_TENSOR, { from: EMBEDDINGS_TENSOR, rows: head }]] : []);
  return { tensors, added };
}
