import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { encodeBf16, float32ToF16 } from '../../../src/formats/half-precision.ts';
import { type SafetensorsEntry, writeSafetensors } from '../../../src/formats/safetensors.ts';
import { expectedTensors } from '../../../src/model/expected-tensors.ts';
import { parseModelConfig } from '../../../src/model/parse-config.ts';
import { writePrompt } from '../../../src/prompts/artifact-write.ts';
import { identifyModel, toPromptModel } from '../../../src/prompts/model-identity.ts';
import { openPromptRegistry, type PromptRegistry } from '../../../src/prompts/registry.ts';
import { tinyChatModel } from '../../helpers/tiny-model.ts';

export interface TinyOptions {
  architecture?: 'llama' | 'mistral' | 'qwen2' | 'qwen3';
  tied?: boolean;
  /** Rows of the embedding matrix; the tokenizer has 312 tokens. */
  rows?: number;
  shards?: number;
  dtype?: 'BF16' | 'F16' | 'F32';
  /** What every token's embedding has in common. Without, states share no direction. */
  lean?: number;
  hiddenSize?: number;
  config?: object;
}

/** Tokens of the tiny model's tokenizer. */
export const TOKENS = 312;
const LAYERS = 2;

/** A checkpoint that chats, of any family, with random weights; `directory` must not exist. */
export async function writeTinyCheckpoint(directory: string, options: TinyOptions = {}): Promise<void> {
  const {
    architecture = 'llama',
    tied = true,
    rows = TOKENS,
    shards = 1,
    dtype = 'BF16',
    lean = 1,
    hiddenSize = 64,
  } = options;
  await mkdir(directory, { recursive: true });
  const { 'model.safetensors': _, 'config.json': before, ...files } = await tinyChatModel();
  const raw = {
    ...JSON.parse(String(before)),
    architectures: undefined,
    model_type: architecture,
    tie_word_embeddings: tied,
    vocab_size: rows,
    hidden_size: hiddenSize,
    intermediate_size: 2 * hiddenSize,
    num_hidden_layers: LAYERS,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: hiddenSize / 4,
    ...(architecture === 'mistral' ? { sliding_window: 64 } : {}),
    ...options.config,
  };
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(directory, name), bytes);
  await writeFile(join(directory, 'config.json'), JSON.stringify(raw, null, 2));
  const entries = [...expectedTensors(parseModelConfig(raw))].map(([name, shape], index): SafetensorsEntry => {
    const values = weightsOf(name, shape, index + 1, lean);
    return { name, dtype, shape, bytes: () => [encode(values, dtype)] };
  });
  if (shards === 1) return await writeSafetensors(join(directory, 'model.safetensors'), entries, { format: 'pt' });
  const map: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard++) {
    const file = `model-0000${shard + 1}-of-0000${shards}.safetensors`;
    // the two matrices lie in the first and the last
    const part = entries.filter((_, index) => Math.floor((index * shards) / entries.length) === shard);
    for (const { name } of part) map[name] = file;
    await writeSafetensors(join(directory, file), part, { format: 'pt' });
  }
  const index = { metadata: { total_size: 1000 }, weight_map: map };
  await writeFile(join(directory, 'model.safetensors.index.json'), JSON.stringify(index, null, 2));
}

function weightsOf(name: string, shape: readonly number[], seed: number, lean: number): Float32Array {
  const count = shape.reduce((product, size) => product * size, 1);
  const width = shape.at(-1) ?? 1;
  const random = generator(seed);
  if (name.includes('norm')) return new Float32Array(count).fill(1);
  const shared = name === 'model.embed_tokens.weight' ? lean : 0;
  const spread = name === 'model.embed_tokens.weight' || name === 'lm_head.weight' ? 0.2 : 0.4 / Math.sqrt(width);
  return Float32Array.from({ length: count }, (_, index) => spread * random() + (index % width < 4 ? shared : 0));
}

/** Uniform over [-1, 1): mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

function encode(values: Float32Array, dtype: 'BF16' | 'F16' | 'F32'): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(values.buffer);
  const halves = new Uint16Array(values.length);
  if (dtype === 'BF16') encodeBf16(values, halves);
  else for (const [index, value] of values.entries()) halves[index] = float32ToF16(value);
  return new Uint8Array(halves.buffer);
}

/** Prompts of random rows for a checkpoint, `tiny/NAME` with so many rows. */
export async function writeTinyPrompts(
  root: string,
  directory: string,
  counts: Readonly<Record<string, number>>,
): Promise<PromptRegistry> {
  const identity = await identifyModel(directory);
  let seed = 100;
  for (const [name, tokens] of Object.entries(counts)) {
    const random = generator(seed++);
    const values = Float32Array.from({ length: tokens * identity.hiddenSize }, () => random());
    await writePrompt(
      root,
      { name: `tiny/${name}`, version: '1.0.0', model: toPromptModel(identity), position: 'system', evaluation: [] },
      { dtype: 'F32', tokens, hiddenSize: identity.hiddenSize, bytes: new Uint8Array(values.buffer) },
    );
  }
  return await openPromptRegistry([root]);
}

/** SHA-256 of every file below a directory, by its path there. */
export async function digests(directory: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    found[path.slice(directory.length + 1)] = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  }
  return found;
}

/** A checkpoint and its prompts below a folder of the test's. */
export async function tinySetting(t: Test, options: TinyOptions = {}, counts: Record<string, number> = { kind: 5 }) {
  const folder = t.testdir();
  const source = join(folder, 'model');
  await writeTinyCheckpoint(source, options);
  const registry = await writeTinyPrompts(join(folder, 'prompts'), source, counts);
  const prompts = Object.keys(counts).map((name) => registry.resolve(`tiny/${name}`));
  return { folder, source, out: join(folder, 'grafted'), prompts };
}
