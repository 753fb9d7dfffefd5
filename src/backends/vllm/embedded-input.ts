import type { PromptSegment } from '../../engine/generation.ts';
import { countPositions } from '../../engine/sequence.ts';
import { encodeBf16 } from '../../formats/half-precision.ts';
import { encodeTorchSaveBase64 } from '../../formats/torch-save/write.ts';
import type { EmbeddingTable } from '../../model/embedding-table.ts';

/**
 * A model's whole input as embeddings, in base64 of torch.save's bytes: `[positions, hiddenSize]`, BF16 where the checkpoint is, which the
 * server computes in; else F32. Throws `invalid_request` for a token id that the model does not have.
 */
export function embedInput(segments: readonly PromptSegment[], table: EmbeddingTable): Buffer {
  const { hiddenSize } = table;
  const rows = countPositions(segments);
  const values = new Float32Array(rows * hiddenSize);
  let at = 0;
  for (const segment of segments) {
    if ('tokens' in segment) {
      table.read(segment.tokens, values, at);
      at += segment.tokens.length;
    } else {
      values.set(segment.softPrompt.values, at * hiddenSize);
      at += segment.softPrompt.tokens;
    }
  }
  const matrix = { rows, columns: hiddenSize };
  if (table.dtype !== 'bfloat16') {
    return encodeTorchSaveBase64({ ...matrix, dtype: 'F32', bytes: new Uint8Array(values.buffer) });
  }
  const halves = new Uint16Array(values.length);
  encodeBf16(values, halves);
  return encodeTorchSaveBase64({ ...matrix, dtype: 'BF16', bytes: new Uint8Array(halves.buffer) });
}
