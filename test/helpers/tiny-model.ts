import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createEngine, type EngineOptions } from '../../src/engine/engine.ts';
import type { Engine } from '../../src/engine/generation.ts';
import { loadTokenizer } from '../../src/model/tokenizer/tokenizer.ts';
import { tinyModelDirectory } from '../prompts/support/tiny.ts';

/** Long enough that an answer which is told to go on (`ignore_eos`) runs until the test ends it. */
const TINY_CONTEXT = 65_536;

const CHAT_TEMPLATE =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/**
 * The files of a checkpoint that chats, for `t.testdir`: real in every part but its wisdom. Its weights are random, it loads in an instant
 * and writes some thousand tokens a second.
 */
export async function tinyChatModel(config: object = {}): Promise<Record<string, string | Buffer>> {
  const files: Record<string, string | Buffer> = { 'chat_template.jinja': CHAT_TEMPLATE };
  for (const name of await readdir(tinyModelDirectory)) files[name] = await readFile(join(tinyModelDirectory, name));
  const changed = { ...JSON.parse(String(files['config.json'])), max_position_embeddings: TINY_CONTEXT, ...config };
  files['config.json'] = JSON.stringify(changed);
  return files;
}

/** The engine for a directory with the files above. The test closes it. */
export async function startTinyEngine(directory: string, options: Partial<EngineOptions> = {}): Promise<Engine> {
  const tokenizer = await loadTokenizer(directory);
  return await createEngine(
    {
      directory,
      weights: 'float32',
      cacheDirectory: directory,
      slots: 2,
      queue: 1,
      contextLength: null,
      threads: 1,
      ...options,
    },
    () => tokenizer.createIncrementalDecoder(),
  );
}
