import type { GgufMetadata, GgufValue } from '../../../src/formats/gguf/metadata.ts';
import { smollm2Json } from '../tokenizer/smollm2.ts';

const template = '{% for message in messages %}{{ message.content }}{% endfor %}';

/** The tokenizer part of SmolLM2's GGUF metadata, as llama.cpp's converter writes it; null leaves an entry out. */
export function smollm2Metadata(
  options: { pre?: string; change?: Record<string, GgufValue | null> } = {},
): GgufMetadata {
  const json = smollm2Json();
  const tokens: string[] = [];
  for (const [token, id] of Object.entries<number>(json.model.vocab)) tokens[id] = token;
  const control = new Set(json.added_tokens.map((token: { id: number }) => token.id));
  const entries: Record<string, GgufValue | null> = {
    'general.architecture': 'llama',
    'llama.context_length': 8192,
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': options.pre ?? 'smollm',
    'tokenizer.ggml.tokens': tokens,
    'tokenizer.ggml.token_type': tokens.map((_, id) => (control.has(id) ? 3 : 1)),
    'tokenizer.ggml.merges': json.model.merges.map((pair: string[]) => pair.join(' ')),
    'tokenizer.ggml.bos_token_id': 1,
    'tokenizer.ggml.eos_token_id': 2,
    'tokenizer.ggml.unknown_token_id': 0,
    'tokenizer.ggml.padding_token_id': 2,
    'tokenizer.ggml.add_bos_token': false,
    'tokenizer.chat_template': template,
    ...options.change,
  };
  return new Map(Object.entries(entries).filter((entry): entry is [string, GgufValue] => entry[1] !== null));
}
