import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { PreambleError, toError } from '../errors.ts';
import type { Architecture, ModelConfig, RopeScaling } from './config.ts';

/** Far above any checkpoint's, small enough that sizes computed from them cannot overflow. */
const MAX_DIMENSION = 1 << 24;

/** The deepest models have some hundred; each is work before its first tensor is looked for. */
const MAX_LAYERS = 4096;
/** Far above any stretch of RoPE in use (8 to 64); transformers too takes none below 1. */
const MAX_ROPE_FACTOR = 4096;

const dimension = Type.Integer({ minimum: 1, maximum: MAX_DIMENSION });
const tokenIds = Type.Union([Type.Null(), Type.Integer({ minimum: 0 }), Type.Array(Type.Integer({ minimum: 0 }))]);
const positive = Type.Number({ exclusiveMinimum: 0 });

const ropeSchema = Type.Object({
  rope_type: Type.Optional(Type.String()),
  type: Type.Optional(Type.String()),
  rope_theta: Type.Optional(positive),
  factor: Type.Optional(Type.Number({ minimum: 1, maximum: MAX_ROPE_FACTOR })),
  low_freq_factor: Type.Optional(positive),
  high_freq_factor: Type.Optional(positive),
  original_max_position_embeddings: Type.Optional(dimension),
  partial_rotary_factor: Type.Optional(positive),
});

const nullable = <Schema extends Type.TSchema>(schema: Schema) => Type.Optional(Type.Union([schema, Type.Null()]));

const configSchema = Type.Object({
  model_type: Type.String(),
  hidden_size: dimension,
  num_hidden_layers: Type.Integer({ minimum: 1, maximum: MAX_LAYERS }),
  num_attention_heads: dimension,
  num_key_value_heads: nullable(dimension),
  head_dim: nullable(dimension),
  intermediate_size: dimension,
  vocab_size: dimension,
  max_position_embeddings: dimension,
  rms_norm_eps: positive,
  hidden_act: Type.Optional(Type.String()),
  tie_word_embeddings: Type.Optional(Type.Boolean()),
  attention_bias: Type.Optional(Type.Boolean()),
  mlp_bias: Type.Optional(Type.Boolean()),
  rope_theta: Type.Optional(positive),
  rope_scaling: nullable(ropeSchema),
  rope_parameters: nullable(ropeSchema),
  sliding_window: nullable(Type.Integer({ minimum: 1 })),
  use_sliding_window: Type.Optional(Type.Boolean()),
  max_window_layers: nullable(Type.Integer({ minimum: 0 })),
  layer_types: nullable(Type.Array(Type.String())),
  bos_token_id: Type.Optional(tokenIds),
  eos_token_id: Type.Optional(tokenIds),
});
const generationSchema = Type.Object({ eos_token_id: Type.Optional(tokenIds) });
const checkConfig = Compile(configSchema);
const checkGeneration = Compile(generationSchema);

type RawConfig = Static<typeof configSchema>;
type RawRope = Static<typeof ropeSchema>;

const ARCHITECTURES: readonly Architecture[] = ['llama', 'mistral', 'qwen2', 'qwen3'];

/** What transformers takes where a Qwen config.json does not say. */
const QWEN3_HEAD_DIM = 128;
const QWEN_MAX_WINDOW_LAYERS = 28;

/** Longest config.json read, in bytes; real ones have a few kilobytes. */
const MAX_CONFIG_BYTES = 1 << 20;

/** Reads `config.json` and, if it is there, `generation_config.json`. Throws `file_unreadable`, `format_invalid` or `model_unsupported`. */
export async function loadModelConfig(directory: string): Promise<ModelConfig> {
  const config = await readJson(join(directory, 'config.json'));
  if (config === undefined) {
    throw new PreambleError('file_unreadable', `${directory} has no config.json.`, {
      action: 'Give a Hugging Face model directory.',
    });
  }
  return parseModelConfig(config, await readJson(join(directory, 'generation_config.json')));
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new PreambleError('file_unreadable', `Cannot read ${path}: ${toError(error).message}.`, { cause: error });
  });
  if (text === undefined) return undefined;
  if (text.length > MAX_CONFIG_BYTES) throw invalid(`${path} is larger than a configuration can be.`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(`${path} is not JSON.`, error);
  }
}

/** @param generation what `generation_config.json` holds: some checkpoints name further ends of an answer only there */
export function parseModelConfig(raw: unknown, generation: unknown = {}): ModelConfig {
  if (!checkConfig.Check(raw)) {
    const [problem] = checkConfig.Errors(raw);
    throw invalid(`config.json: ${problem?.instancePath || 'the whole'} ${problem?.message ?? 'is not as expected'}.`);
  }
  const architecture = ARCHITECTURES.find((known) => known === raw.model_type);
  if (architecture === undefined) {
    throw unsupported(`model type ${JSON.stringify(raw.model_type)}`, `Supported are ${ARCHITECTURES.join(', ')}.`);
  }
  if (raw.hidden_act !== undefined && raw.hidden_act !== 'silu')
    throw unsupported(`activation ${JSON.stringify(raw.hidden_act)}`, 'Only silu is.');
  const heads = raw.num_attention_heads;
  const kvHeads = raw.num_key_value_heads ?? heads;
  const headDim = raw.head_dim ?? (architecture === 'qwen3' ? QWEN3_HEAD_DIM : raw.hidden_size / heads);
  if (heads % kvHeads !== 0) throw invalid(`config.json: ${heads} heads cannot share ${kvHeads} key heads.`);
  if (!Number.isInteger(headDim) || headDim % 2 !== 0)
    throw invalid(`config.json: a head of ${headDim} dimensions cannot be rotated.`);
  const { ropeTheta, ropeScaling, maxPositions } = rope(raw);
  const bias = (architecture === 'llama' || architecture === 'qwen3') && (raw.attention_bias ?? false);
  return {
    architecture,
    hiddenSize: raw.hidden_size,
    layers: raw.num_hidden_layers,
    heads,
    kvHeads,
    headDim,
    intermediateSize: raw.intermediate_size,
    vocabSize: raw.vocab_size,
    maxPositions,
    rmsNormEps: raw.rms_norm_eps,
    ropeTheta,
    ropeScaling,
    tiedEmbeddings: raw.tie_word_embeddings ?? false,
    qkvBias: architecture === 'qwen2' || bias,
    outputBias: bias,
    mlpBias: architecture === 'llama' && (raw.mlp_bias ?? false),
    qkNorm: architecture === 'qwen3',
    slidingWindows: slidingWindows(architecture, raw),
    bosTokenId: listOf(raw.bos_token_id)[0] ?? null,
    eosTokenIds: [
      ...new Set([
        ...listOf(raw.eos_token_id),
        ...(checkGeneration.Check(generation) ? listOf(generation.eos_token_id) : []),
      ]),
    ],
  };
}

/** transformers 5 writes `rope_parameters`, earlier versions `rope_theta` and `rope_scaling`. */
function rope(raw: RawConfig): { ropeTheta: number; ropeScaling: RopeScaling; maxPositions: number } {
  const parameters: RawRope = raw.rope_parameters ?? raw.rope_scaling ?? {};
  const ropeTheta = parameters.rope_theta ?? raw.rope_theta ?? 10000;
  const kind = parameters.rope_type ?? parameters.type ?? 'default';
  const factor = parameters.factor ?? 1;
  if ((parameters.partial_rotary_factor ?? 1) !== 1)
    throw unsupported('a partial RoPE', 'Only whole heads are rotated.');
  const original = parameters.original_max_position_embeddings ?? raw.max_position_embeddings;
  // As vLLM: linear and dynamic scaling lengthen what the checkpoint states, llama3's statement includes it.
  const lengthened = Math.floor(raw.max_position_embeddings * factor);
  switch (kind) {
    case 'default':
      return { ropeTheta, ropeScaling: { kind: 'none' }, maxPositions: raw.max_position_embeddings };
    case 'linear':
      return { ropeTheta, ropeScaling: { kind: 'linear', factor }, maxPositions: lengthened };
    case 'dynamic':
      return {
        ropeTheta,
        // transformers measures growth against the stated maximum, whatever original_max_position_embeddings says
        ropeScaling: { kind: 'dynamic', factor, originalMaxPositions: raw.max_position_embeddings },
        maxPositions: lengthened,
      };
    case 'llama3':
      return {
        ropeTheta,
        ropeScaling: {
          kind: 'llama3',
          factor,
          lowFrequencyFactor: parameters.low_freq_factor ?? 1,
          highFrequencyFactor: parameters.high_freq_factor ?? 4,
          originalMaxPositions: original,
        },
        maxPositions: raw.max_position_embeddings,
      };
    default:
      throw unsupported(`RoPE scaling ${JSON.stringify(kind)}`, 'Supported are default, linear, dynamic and llama3.');
  }
}

function slidingWindows(architecture: Architecture, raw: RawConfig): (number | null)[] {
  const isQwen = architecture === 'qwen2' || architecture === 'qwen3';
  const enabled = isQwen ? raw.use_sliding_window === true : architecture === 'mistral';
  const window = enabled ? (raw.sliding_window ?? null) : null;
  return Array.from({ length: raw.num_hidden_layers }, (_, layer) => {
    const type = raw.layer_types?.[layer];
    if (type !== undefined) return type === 'sliding_attention' ? window : null;
    // Qwen's first `max_window_layers` layers see everything.
    return isQwen && layer < (raw.max_window_layers ?? QWEN_MAX_WINDOW_LAYERS) ? null : window;
  });
}

function listOf(ids: Static<typeof tokenIds> | undefined): number[] {
  return typeof ids === 'number' ? [ids] : (ids ?? []);
}

function invalid(message: string, cause?: unknown): PreambleError {
  return new PreambleError('format_invalid', message, {
    action: 'Give a Hugging Face checkpoint as it was published.',
    cause,
  });
}

function unsupported(what: string, action: string): PreambleError {
  return new PreambleError('model_unsupported', `The checkpoint has ${what}, which is not supported.`, { action });
}
