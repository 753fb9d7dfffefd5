import { PreambleError } from '../../errors.ts';
import type { ModelConfig } from '../config.ts';

/** GGUF's names for Hugging Face's, within a layer and without. */
const layerNames: ReadonlyMap<string, string> = new Map([
  ['self_attn.q_proj', 'attn_q'],
  ['self_attn.k_proj', 'attn_k'],
  ['self_attn.v_proj', 'attn_v'],
  ['self_attn.o_proj', 'attn_output'],
  ['self_attn.q_norm', 'attn_q_norm'],
  ['self_attn.k_norm', 'attn_k_norm'],
  ['mlp.gate_proj', 'ffn_gate'],
  ['mlp.up_proj', 'ffn_up'],
  ['mlp.down_proj', 'ffn_down'],
  ['input_layernorm', 'attn_norm'],
  ['post_attention_layernorm', 'ffn_norm'],
]);
const topNames: ReadonlyMap<string, string> = new Map([
  ['model.embed_tokens.weight', 'token_embd.weight'],
  ['model.norm.weight', 'output_norm.weight'],
  ['lm_head.weight', 'output.weight'],
]);

/** What a GGUF file calls a tensor of a Hugging Face checkpoint. */
export function ggufName(name: string): string {
  const top = topNames.get(name);
  if (top !== undefined) return top;
  const [, layer, part, kind] = /^model\.layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(name) ?? [];
  const source = part === undefined ? undefined : layerNames.get(part);
  if (source === undefined) throw new PreambleError('internal', `No GGUF name is known for ${name}.`);
  return `blk.${layer}.${source}.${kind}`;
}

/** Whether llama.cpp's converter interleaves the two halves of each head's rows: ggml rotates neighbours, transformers the two halves. */
export function isInterleaved(name: string, { architecture }: Pick<ModelConfig, 'architecture'>): boolean {
  return (architecture === 'llama' || architecture === 'mistral') && /\.[qk]_proj\.(weight|bias)$/.test(name);
}
