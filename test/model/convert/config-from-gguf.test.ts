import t from 'tap';
import type { GgufTensor, GgufValue } from '../../../src/formats/gguf.ts';
import { configFromGguf, generationConfigFromGguf } from '../../../src/model/convert/config-from-gguf.ts';
import { alteredHeader } from './gguf-fixture.ts';

const llama = async (values: Record<string, GgufValue | null>, tensors: Record<string, GgufTensor | null> = {}) =>
  configFromGguf(await alteredHeader('tiny-llama', values, tensors), null);
const someTensor: GgufTensor = { type: 'F32', shape: [64], offset: 0, length: 256 };

t.test("names the model's sizes as Hugging Face does", async (t) => {
  t.same(await llama({}), {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: 64,
    intermediate_size: 96,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 16,
    hidden_act: 'silu',
    vocab_size: 288,
    max_position_embeddings: 16_384,
    rms_norm_eps: 1e-5,
    rope_theta: 500_000,
    rope_scaling: null,
    tie_word_embeddings: true,
    attention_bias: false,
    mlp_bias: false,
    bos_token_id: 1,
    eos_token_id: 2,
    pad_token_id: 0,
    torch_dtype: 'bfloat16',
    use_cache: true,
  });
});

t.test('a window makes a llama file a mistral', async (t) => {
  t.match(await llama({ 'llama.attention.sliding_window': 4096 }), {
    architectures: ['MistralForCausalLM'],
    model_type: 'mistral',
    sliding_window: 4096,
  });
});

t.test('biases, an untied head and all key heads follow from what the file holds', async (t) => {
  const tensors = { 'blk.0.attn_q.bias': someTensor, 'blk.0.ffn_gate.bias': someTensor, 'output.weight': someTensor };
  t.match(await llama({ 'llama.attention.head_count_kv': null }, tensors), {
    attention_bias: true,
    mlp_bias: true,
    tie_word_embeddings: false,
    num_key_value_heads: 4,
  });
});

t.test("qwen3's head size is its own", async (t) => {
  t.match(configFromGguf(await alteredHeader('tiny-qwen3', {}), null), {
    model_type: 'qwen3',
    hidden_size: 32,
    num_attention_heads: 2,
    head_dim: 128,
    tie_word_embeddings: false,
  });
});

t.test('an answer ends at the end of a text and at the end of a turn', async (t) => {
  const { metadata } = await alteredHeader('tiny-llama', {});
  t.same(generationConfigFromGguf(metadata), { bos_token_id: 1, eos_token_id: 2, pad_token_id: 0 });
  const both = await alteredHeader('tiny-llama', { 'tokenizer.ggml.eot_token_id': 0 });
  t.same(generationConfigFromGguf(both.metadata), { bos_token_id: 1, eos_token_id: [2, 0], pad_token_id: 0 });
  const none = new Map<string, GgufValue>();
  t.same(generationConfigFromGguf(none), {});
});

const faults: [what: string, values: Record<string, GgufValue | null>, code: string, message: RegExp][] = [
  ['no architecture', { 'general.architecture': null }, 'format_invalid', /lacks general.architecture/],
  ['another architecture', { 'general.architecture': 'gemma' }, 'model_unsupported', /architecture "gemma"/],
  ['an architecture that is no text', { 'general.architecture': 1 }, 'format_invalid', /is not text/],
  ['no layers', { 'llama.block_count': null }, 'format_invalid', /lacks llama.block_count/],
  ['more layers than tensors', { 'llama.block_count': 1e9 }, 'format_invalid', /claims 1000000000 layers/],
  ['heads of different number', { 'llama.attention.head_count': [4, 2] }, 'format_invalid', /not a whole number/],
  ['a half-rotated head', { 'llama.rope.dimension_count': 8 }, 'model_unsupported', /8 rotated/],
  ['values of another size', { 'llama.attention.value_length': 32 }, 'model_unsupported', /32 of values/],
  ['experts', { 'llama.expert_count': 8 }, 'model_unsupported', /mixture of experts/],
  ['yarn', { 'llama.rope.scaling.type': 'yarn' }, 'model_unsupported', /"yarn" RoPE scaling/],
  ['more tokens than embeddings', { 'tokenizer.ggml.tokens': Array(289).fill('a') }, 'format_invalid', /289 tokens/],
];
for (const [what, values, code, message] of faults) {
  t.test(`refuses ${what}`, async (t) => {
    await t.rejects(llama(values), { code, message });
  });
}

t.test('refuses a file without embeddings', async (t) => {
  await t.rejects(llama({}, { 'token_embd.weight': null }), { code: 'format_invalid', message: /token_embd.weight/ });
});
