import { createHash } from 'node:crypto';

export interface TinyFile {
  name: string;
  bytes: Buffer;
}

/** A checkpoint in form only: what obtaining looks at (files, the embeddings' tensor), of about `weightBytes`. Deterministic. */
export function tinyModel(weightBytes = 300_000): TinyFile[] {
  const embeddings = pattern(64, 1);
  const rest = pattern(weightBytes & ~1, 2);
  const header = Buffer.from(
    JSON.stringify({
      'model.embed_tokens.weight': { dtype: 'BF16', shape: [8, 4], data_offsets: [0, 64] },
      'model.norm.weight': { dtype: 'BF16', shape: [rest.length / 2], data_offsets: [64, 64 + rest.length] },
    }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return [
    { name: 'config.json', bytes: Buffer.from('{"model_type":"llama"}') },
    { name: 'tokenizer.json', bytes: Buffer.from('{"version":"1.0"}') },
    { name: 'model.safetensors', bytes: Buffer.concat([length, header, embeddings, rest]) },
  ];
}

export const tinyEmbeddingsSha256 = createHash('sha256').update(pattern(64, 1)).digest('hex');

export function pattern(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

export function weightsOf(files: readonly TinyFile[]): Buffer {
  const weights = files.find((file) => file.name === 'model.safetensors');
  if (weights === undefined) throw new Error('no weights');
  return weights.bytes;
}
