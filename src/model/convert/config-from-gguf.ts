import { PreambleError } from '../../errors.ts';
import { type GgufMetadata, readCount, readNumber, readString, readStrings } from '../../formats/gguf/metadata.ts';
import type { GgufHeader } from '../../formats/gguf.ts';
import type { Architecture } from '../config.ts';
import { ropeScalingFromGguf } from './rope-from-gguf.ts';

/** transformers' class for each architecture. */
const modelClasses = {
  llama: 'LlamaForCausalLM',
  mistral: 'MistralForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
} as const satisfies Record<Architecture, string>;

const SUPPORTED = 'llama (with mistral), qwen2 and qwen3';

/**
 * The content of `config.json` for a GGUF file of the architecture llama, qwen2 or qwen3, weights in bfloat16.
 * `ropeFactors` are the values of its tensor `rope_freqs.weight`, if it has one.
 * Throws `model_unsupported`, `format_invalid`.
 */
export function configFromGguf(header: GgufHeader, ropeFactors: Float32Array | null): Record<string, unknown> {
  const { metadata, tensors } = header;
  const prefix = readString(metadata, 'general.architecture');
  if (prefix === undefined) throw missing('general.architecture');
  const architecture = architectureOf(prefix, metadata);
  const count = (key: string) => required(readCount(metadata, `${prefix}.${key}`), `${prefix}.${key}`);
  const optionalCount = (key: string) => readCount(metadata, `${prefix}.${key}`);

  const hiddenSize = count('embedding_length');
  const heads = count('attention.head_count');
  const headDim = optionalCount('attention.key_length') ?? hiddenSize / heads;
  const rotated = optionalCount('rope.dimension_count') ?? headDim;
  const valueLength = optionalCount('attention.value_length') ?? headDim;
  if (rotated !== headDim || valueLength !== headDim) {
    throw unsupported(`heads of ${headDim} dimensions, ${valueLength} of values and ${rotated} rotated`);
  }
  if ((optionalCount('expert_count') ?? 0) > 0) throw unsupported('a mixture of experts');
  const layers = count('block_count');
  if (layers > tensors.size) throw invalid(`it claims ${layers} layers and has ${tensors.size} tensors`);

  const ropeTheta = shortest(readNumber(metadata, `${prefix}.rope.freq_base`) ?? 10_000);
  return {
    architectures: [modelClasses[architecture]],
    model_type: architecture,
    hidden_size: hiddenSize,
    intermediate_size: count('feed_forward_length'),
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: optionalCount('attention.head_count_kv') ?? heads,
    head_dim: headDim,
    hidden_act: 'silu',
    vocab_size: vocabSize(header),
    max_position_embeddings: count('context_length'),
    rms_norm_eps: shortest(
      required(readNumber(metadata, `${prefix}.attention.layer_norm_rms_epsilon`), 'layer_norm_rms_epsilon'),
    ),
    rope_theta: ropeTheta,
    rope_scaling: ropeScalingFromGguf(metadata, prefix, { headDim, ropeTheta, ropeFactors }),
    tie_word_embeddings: !tensors.has('output.weight'),
    ...biases(architecture, header),
    ...(architecture === 'mistral' ? { sliding_window: count('attention.sliding_window') } : {}),
    ...tokenIds(metadata),
    torch_dtype: 'bfloat16',
    use_cache: true,
  };
}

/** The content of `generation_config.json`: which ids start and end an answer. */
export function generationConfigFromGguf(metadata: GgufMetadata): Record<string, unknown> {
  const { eos_token_id: end, ...others } = tokenIds(metadata);
  // The end of a turn may be another token than the end of a text.
  const turnEnd = readCount(metadata, 'tokenizer.ggml.eot_token_id');
  const ends = [...new Set([end, turnEnd].filter((id) => id !== undefined))];
  return { ...others, ...(ends.length === 0 ? {} : { eos_token_id: ends.length === 1 ? ends[0] : ends }) };
}

function architectureOf(name: string, metadata: GgufMetadata): Architecture {
  // llama.cpp files mistral under llama: what tells them apart is the window.
  if (name === 'llama') return metadata.has('llama.attention.sliding_window') ? 'mistral' : 'llama';
  if (name === 'qwen2' || name === 'qwen3') return name;
  throw unsupported(`the architecture ${JSON.stringify(name.slice(0, 40))}`);
}

function biases(architecture: Architecture, { tensors }: GgufHeader): Record<string, boolean> {
  switch (architecture) {
    case 'llama':
      return { attention_bias: tensors.has('blk.0.attn_q.bias'), mlp_bias: tensors.has('blk.0.ffn_gate.bias') };
    case 'qwen3':
      return { attention_bias: tensors.has('blk.0.attn_q.bias') };
    default:
      return {};
  }
}

/** Rows of the embedding matrix, which may be more than there are tokens. */
function vocabSize({ metadata, tensors }: GgufHeader): number {
  const rows = tensors.get('token_embd.weight')?.shape[0];
  if (rows === undefined) throw missing('token_embd.weight');
  const tokens = readStrings(metadata, 'tokenizer.ggml.tokens')?.length ?? 0;
  if (tokens > rows) throw invalid(`it has ${tokens} tokens and only ${rows} embeddings`);
  return rows;
}

function tokenIds(metadata: GgufMetadata): Record<string, number> {
  const ids: Record<string, number> = {};
  for (const [name, key] of [
    ['bos_token_id', 'tokenizer.ggml.bos_token_id'],
    ['eos_token_id', 'tokenizer.ggml.eos_token_id'],
    ['pad_token_id', 'tokenizer.ggml.padding_token_id'],
  ] as const) {
    const id = readCount(metadata, key);
    if (id !== undefined) ids[name] = id;
  }
  return ids;
}

/** The shortest decimal that is the same float32: 1e-5 where the file says 0.000009999999747378752. */
function shortest(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === Math.fround(value)) return rounded;
  }
  return value;
}

function required<Value>(value: Value | undefined, key: string): Value {
  if (value === undefined) throw missing(key);
  return value;
}

function missing(key: string): PreambleError {
  return invalid(`it lacks ${key}`);
}

function invalid(what: string): PreambleError {
  return new PreambleError('format_invalid', `The GGUF file describes no usable model: ${what}.`, {
    action: 'Fetch or convert the file again.',
  });
}

function unsupported(what: string): PreambleError {
  return new PreambleError('model_unsupported', `The GGUF file has ${what}, which Preamble can't convert.`, {
    action: `Use a model of the architecture ${SUPPORTED}, or its original Hugging Face files.`,
  });
}
