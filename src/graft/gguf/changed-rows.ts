import { dequantizerOf } from '../../formats/dequantize/dequantizers.ts';
import type { GgufEntry } from '../../formats/gguf-write.ts';
import { ggufBytes } from '../../formats/gguf-write.ts';
import { type QuantizableType, quantize } from '../../formats/quantize/quantizers.ts';
import type { GraftPlan } from '../plan.ts';
import { replaceRows } from '../rewrite-weights.ts';
import { GGUF_EMBEDDINGS, GGUF_HEAD } from './names.ts';

/** Rows as llama.cpp reads them from a matrix of that type. */
export function storedIn(rows: Float32Array, type: QuantizableType): Float32Array {
  const values = new Float32Array(rows.length);
  dequantizerOf(type).dequantize(quantize(rows, type), values);
  return values;
}

/**
 * The tensors with the virtual tokens' rows in both matrices, each in its matrix' own type; where the file has no output matrix, a copy of the
 * embeddings becomes one. `types` are those of the two matrices.
 */
export function withVirtualRows(
  entries: readonly GgufEntry[],
  plan: GraftPlan,
  headRow: Float32Array,
  types: { embeddings: QuantizableType; head: QuantizableType },
): GgufEntry[] {
  const { placement, prompts, checkpoint } = plan;
  const { hiddenSize } = checkpoint.config;
  const embedded = new Map<number, Uint8Array>();
  for (const { tokens, softPrompt } of prompts) {
    for (const { id, row } of tokens) {
      const values = softPrompt.values.subarray(row * hiddenSize, (row + 1) * hiddenSize);
      embedded.set(id, quantize(values, types.embeddings));
    }
  }
  const suppressing = quantize(headRow, types.head);
  const suppressed = new Map(placement.ids.map((id) => [id, suppressing]));
  const empty = quantize(new Float32Array(hiddenSize), types.embeddings);
  const changed: GgufEntry[] = [];
  for (const entry of entries) {
    if (entry.name === GGUF_EMBEDDINGS) {
      changed.push(withRows(entry, GGUF_EMBEDDINGS, placement.vocabSize, embedded, empty));
      if (checkpoint.config.tiedEmbeddings) {
        changed.push(withRows(entry, GGUF_HEAD, placement.vocabSize, suppressed, suppressing));
      }
    } else if (entry.name === GGUF_HEAD) {
      changed.push(withRows(entry, GGUF_HEAD, placement.vocabSize, suppressed, suppressing));
    } else {
      changed.push(entry);
    }
  }
  return changed;
}

function withRows(
  entry: GgufEntry,
  name: string,
  rows: number,
  changed: ReadonlyMap<number, Uint8Array>,
  filler: Uint8Array,
): GgufEntry {
  const [before = 0, width = 0] = entry.shape;
  const rowBytes = ggufBytes(entry.type, [width]);
  return {
    name,
    type: entry.type,
    shape: [rows, width],
    async *bytes() {
      yield* replaceRows(asynchronous(entry.bytes()), rowBytes, changed);
      for (let row = before; row < rows; row++) yield changed.get(row) ?? filler;
    },
  };
}

async function* asynchronous(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* pieces;
}
