import { randomFillSync } from 'node:crypto';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { byteLength, type SafetensorsEntry, writeSafetensors } from '../../src/formats/safetensors.ts';
import { expectedTensors } from '../../src/model/expected-tensors.ts';
import { parseModelConfig } from '../../src/model/parse-config.ts';
import { writePrompt } from '../../src/prompts/artifact-write.ts';
import { identifyModel, toPromptModel } from '../../src/prompts/model-identity.ts';

const tokenizer = fileURLToPath(new URL('../../test/fixtures/prompts/model/', import.meta.url));

/** Llama 2 7B's widths, with as many layers as the size asks for. */
const WIDTHS = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 4096,
  intermediate_size: 11_008,
  num_attention_heads: 32,
  num_key_value_heads: 32,
  vocab_size: 32_000,
  max_position_embeddings: 4096,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: false,
};
const MATRIX_BYTES = 2 * WIDTHS.vocab_size * WIDTHS.hidden_size;
const LAYER_BYTES = 2 * (4 * WIDTHS.hidden_size ** 2 + 3 * WIDTHS.hidden_size * WIDTHS.intermediate_size);
const SHARD_BYTES = 2e9;
const PIECE = randomFillSync(new Uint8Array(2 ** 22)).map((byte, index) => (index % 2 === 1 ? byte & 0x3f : byte));
const PROMPT_TOKENS = 100;

/** A sharded checkpoint in bfloat16 of about `bytes`, with a prompt `bench/large` for it. Gives the bytes of its weights. */
export async function writeLargeCheckpoint(directory: string, prompts: string, bytes: number): Promise<number> {
  await mkdir(directory, { recursive: true });
  const layers = Math.max(1, Math.round((bytes - 2 * MATRIX_BYTES) / LAYER_BYTES));
  const config = { ...WIDTHS, num_hidden_layers: layers };
  await writeFile(join(directory, 'config.json'), JSON.stringify(config, null, 2));
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) {
    await copyFile(join(tokenizer, name), join(directory, name));
  }
  const shards: SafetensorsEntry[][] = [[]];
  let total = 0;
  let inShard = 0;
  for (const [name, shape] of expectedTensors(parseModelConfig(config))) {
    const length = byteLength('BF16', shape);
    if (inShard + length > SHARD_BYTES) {
      shards.push([]);
      inShard = 0;
    }
    shards.at(-1)?.push({ name, dtype: 'BF16', shape, bytes: () => pieces(length) });
    inShard += length;
    total += length;
  }
  const map: Record<string, string> = {};
  for (const [index, entries] of shards.entries()) {
    const number = (value: number) => String(value).padStart(5, '0');
    const file = `model-${number(index + 1)}-of-${number(shards.length)}.safetensors`;
    for (const { name } of entries) map[name] = file;
    await writeSafetensors(join(directory, file), entries, { format: 'pt' });
  }
  const index = { metadata: { total_size: total }, weight_map: map };
  await writeFile(join(directory, 'model.safetensors.index.json'), JSON.stringify(index));
  await writePrompt(
    prompts,
    {
      name: 'bench/large',
      version: '1.0.0',
      model: toPromptModel(await identifyModel(directory)),
      position: 'system',
      evaluation: [],
    },
    {
      dtype: 'BF16',
      tokens: PROMPT_TOKENS,
      hiddenSize: WIDTHS.hidden_size,
      bytes: PIECE.slice(0, PROMPT_TOKENS * WIDTHS.hidden_size * 2),
    },
  );
  return total;
}

function* pieces(length: number): Generator<Uint8Array> {
  for (let left = length; left > 0; left -= PIECE.length) yield PIECE.subarray(0, Math.min(left, PIECE.length));
}
