/** What the transformer needs to know of a checkpoint's `config.json`, with Hugging Face's differing spellings resolved. */
export type Architecture = 'llama' | 'mistral' | 'qwen2' | 'qwen3';

export type RopeScaling =
  | { kind: 'none' }
  | { kind: 'linear'; factor: number }
  | { kind: 'dynamic'; factor: number; originalMaxPositions: number }
  | {
      kind: 'llama3';
      factor: number;
      lowFrequencyFactor: number;
      highFrequencyFactor: number;
      originalMaxPositions: number;
    };

export interface ModelConfig {
  architecture: Architecture;
  hiddenSize: number;
  layers: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  intermediateSize: number;
  vocabSize: number;
  /** Longest sequence the checkpoint was made for, in tokens. */
  maxPositions: number;
  rmsNormEps: number;
  ropeTheta: number;
  ropeScaling: RopeScaling;
  tiedEmbeddings: boolean;
  /** q, k and v projections add a bias (qwen2; llama with `attention_bias`). */
  qkvBias: boolean;
  /** The output projection adds a bias (llama with `attention_bias`). */
  outputBias: boolean;
  mlpBias: boolean;
  /** RMSNorm over each head of q and k before RoPE (qwen3). */
  qkNorm: boolean;
  /** Attention window in tokens for each layer, null where the layer sees everything. `[layers]` */
  slidingWindows: readonly (number | null)[];
  bosTokenId: number | null;
  /** Every id that ends an answer: config.json's and generation_config.json's, joined. */
  eosTokenIds: readonly number[];
}
