import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { writePrompt } from '../../src/prompts/artifact-write.ts';
import { importPrompt } from '../../src/prompts/import.ts';
import { openPromptRegistry } from '../../src/prompts/registry.ts';
import { safetensorsBytes, tinyModelDirectory } from './support/tiny.ts';

const HIDDEN = 4096;
const VOCABULARY = 312;

/** What of Llama-2-7b-chat a prompt is bound to: its config, and embeddings of its width (of a small vocabulary). */
async function llama2(t: Test): Promise<string> {
  const directory = join(t.testdir(), 'model');
  await cp(tinyModelDirectory, directory, { recursive: true });
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    _name_or_path: 'meta-llama/Llama-2-7b-chat-hf',
    hidden_act: 'silu',
    hidden_size: HIDDEN,
    intermediate_size: 11008,
    max_position_embeddings: 4096,
    num_attention_heads: 32,
    num_hidden_layers: 32,
    num_key_value_heads: 32,
    pretraining_tp: 1,
    rms_norm_eps: 1e-5,
    rope_scaling: null,
    tie_word_embeddings: false,
    bos_token_id: 1,
    eos_token_id: 2,
    torch_dtype: 'float16',
    vocab_size: VOCABULARY,
  };
  await writeFile(join(directory, 'config.json'), JSON.stringify(config));
  const embeddings = new Uint8Array(VOCABULARY * HIDDEN * 2).fill(0x38);
  const shape = [VOCABULARY, HIDDEN];
  await writeFile(
    join(directory, 'model.safetensors'),
    safetensorsBytes('model.embed_tokens.weight', 'F16', shape, embeddings),
  );
  return directory;
}

/** As safetensors' `save_file({'soft_prompt': …})` writes a bfloat16 parameter: the header ends in spaces. */
function published(tokens: number): { file: Uint8Array; rows: Uint8Array } {
  const halves = Uint16Array.from({ length: tokens * HIDDEN }, (_, index) => 0x3c00 + (index % 509));
  const rows = new Uint8Array(halves.buffer);
  const header = JSON.stringify({
    soft_prompt: { dtype: 'BF16', shape: [tokens, HIDDEN], data_offsets: [0, rows.length] },
  });
  const padded = Buffer.from(header.padEnd(Math.ceil(header.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return { file: Buffer.concat([length, padded, rows]), rows };
}

// the shortest and the longest of the three texts that the method's authors started from
for (const tokens of [54, 108]) {
  t.test(`a prompt of ${tokens} tokens as the method's authors save it becomes an artifact, bit for bit`, async (t) => {
    const modelDirectory = await llama2(t);
    const { file, rows } = published(tokens);
    const path = join(t.testdirName, 'type.all_length.default.safetensors');
    await writeFile(path, file);
    const target = { name: 'llama-2-7b-chat/dro', version: '1.0.0', position: 'system', modelDirectory } as const;
    const { content, tensor } = await importPrompt(path, target);
    t.match(tensor, { dtype: 'BF16', tokens, hiddenSize: HIDDEN });
    t.match(content.model, {
      id: 'meta-llama/Llama-2-7b-chat-hf',
      architecture: 'llama',
      hiddenSize: HIDDEN,
      vocabSize: VOCABULARY,
    });

    const written = await writePrompt(join(t.testdirName, 'prompts'), content, tensor);
    const stored = await readFile(join(written.directory, 'prompt.safetensors'));
    t.ok(stored.subarray(-rows.length).equals(rows), 'the same bytes');
    const loaded = await (await openPromptRegistry([join(t.testdirName, 'prompts')])).resolve(content.name).load();
    t.match(loaded, { tokens, hiddenSize: HIDDEN });
    t.ok(loaded.values.every(Number.isFinite));
  });
}
