import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type PromptContent, type WrittenPrompt, writePrompt } from '../../src/prompts/artifact-write.ts';
import { TENSOR_FILE } from '../../src/prompts/manifest.ts';
import { HIDDEN_SIZE, PROMPT_TOKENS } from './wire.ts';

export const EMBEDDINGS_PROMPT = 'bench/embeddings';
/** A prompt whose rows are missing: what a gateway that may sends in its place is its text. */
export const TEXT_PROMPT = 'bench/text';

const model = {
  id: 'preamble-bench/nothing',
  architecture: 'llama',
  hiddenSize: HIDDEN_SIZE,
  vocabSize: 128_256,
  embeddingsSha256: '0'.repeat(64),
  tokenizerSha256: '0'.repeat(64),
} as const;

/** [100, 4096] BF16 of a model that does not exist: small numbers that differ, so that nothing on the way can take them for zeros. */
function rows(): Uint8Array {
  const values = new Uint16Array(PROMPT_TOKENS * HIDDEN_SIZE);
  // 0x3c00 to 0x3cff: 2^-7 and a little more.
  for (let i = 0; i < values.length; i++) values[i] = 0x3c00 + ((i * 7919) & 0xff);
  return new Uint8Array(values.buffer);
}

const common = { model, position: 'system', evaluation: [] } satisfies Omit<PromptContent, 'name' | 'version'>;
const tensor = () => ({ dtype: 'BF16', tokens: PROMPT_TOKENS, hiddenSize: HIDDEN_SIZE, bytes: rows() }) as const;

/** Gives the digest of the one that has rows. */
export async function writeBenchPrompts(root: string): Promise<string> {
  const version = '1.0.0';
  const { digest } = await writePrompt(root, { name: EMBEDDINGS_PROMPT, version, ...common }, tensor());
  const text = 'Be careful and kind.';
  const { directory } = await writePrompt(root, { name: TEXT_PROMPT, version, text, ...common }, tensor());
  await rm(join(directory, TENSOR_FILE));
  return digest;
}

/** Another version of a prompt with as many bytes. */
export async function writeBenchVersion(root: string, name: string, version: string): Promise<WrittenPrompt> {
  return await writePrompt(root, { name, version, ...common }, tensor());
}
