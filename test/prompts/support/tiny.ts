import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { type PromptContent, type WrittenPrompt, writePrompt } from '../../../src/prompts/artifact-write.ts';
import type { PromptTensor } from '../../../src/prompts/tensor.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/prompts/', import.meta.url));
export const tinyModelDirectory = join(fixtures, 'model');
export const adapterDirectory = (name: 'text' | 'half' | 'lora' | 'prefix') => join(fixtures, 'adapters', name);

const ids = Type.Array(Type.Integer());
const logits = Type.Array(Type.Number());
const recordSchema = Type.Object({
  text: Type.String(),
  question: Type.String(),
  textIds: ids,
  questionIds: ids,
  logits: Type.Object({ none: logits, text: logits, adapter: logits }),
});

/** What transformers and PEFT computed (fixtures/prompts/record.py). */
export async function recorded(): Promise<Static<typeof recordSchema>> {
  return Value.Parse(recordSchema, JSON.parse(await readFile(join(fixtures, 'logits.json'), 'utf8')));
}

export const content: PromptContent = {
  name: 'tiny/careful',
  version: '1.0.0',
  model: {
    id: 'preamble-tests/tiny-chat',
    architecture: 'llama',
    hiddenSize: 4,
    vocabSize: 312,
    embeddingsSha256: 'a'.repeat(64),
    tokenizerSha256: 'b'.repeat(64),
  },
  position: 'system',
  text: 'Be kind.',
  evaluation: [],
};

/** `[tokens, 4]` float32: 0, 0.5, 1, … */
export function rows(tokens = 3, change: (values: Float32Array) => void = () => {}): PromptTensor {
  const values = Float32Array.from({ length: tokens * 4 }, (_, index) => index / 2);
  change(values);
  return { dtype: 'F32', tokens, hiddenSize: 4, bytes: new Uint8Array(values.buffer) };
}

export async function writeTiny(root: string, changes: Partial<PromptContent> = {}): Promise<WrittenPrompt> {
  return await writePrompt(root, { ...content, ...changes }, rows());
}

/** A safetensors file of one tensor, as lying as the caller wants. */
export function safetensorsBytes(name: string, dtype: string, shape: readonly number[], data: Uint8Array): Uint8Array {
  const header = Buffer.from(JSON.stringify({ [name]: { dtype, shape, data_offsets: [0, data.length] } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, data]);
}

/** Puts other bytes in a version's tensor file, with a manifest that vouches for them: only a look at the content can tell. */
export async function replaceTensor(written: WrittenPrompt, bytes: Uint8Array): Promise<void> {
  const tensor = { ...written.manifest.tensor, sha256: createHash('sha256').update(bytes).digest('hex') };
  await mkdir(written.directory, { recursive: true });
  await writeFile(join(written.directory, 'prompt.safetensors'), bytes);
  await writeFile(join(written.directory, 'prompt.json'), JSON.stringify({ ...written.manifest, tensor }));
}
