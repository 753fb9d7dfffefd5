/** A soft prompt as every other room sees it: rows that stand where token embeddings would. */
export interface SoftPrompt {
  /** `name@version`, for logs, headers and errors. */
  readonly label: string;
  /** SHA-256 of the artifact's manifest, hex: the version's identity, the key of every cache. */
  readonly digest: string;
  /** Number of virtual tokens, the rows. */
  readonly tokens: number;
  readonly hiddenSize: number;
  /** `[tokens, hiddenSize]` float32, row-major. */
  readonly values: Float32Array;
}

/** A soft prompt of an artifact, with its rows as they are stored: what goes to model servers, in its own precision. */
export interface StoredSoftPrompt extends SoftPrompt {
  /** `[tokens, hiddenSize]`, row-major, little-endian. */
  readonly stored: { readonly dtype: 'BF16' | 'F32'; readonly bytes: Uint8Array };
}

/** Where the rows stand in the conversation: at the head of the system message, or of the first user message. */
export type PromptPosition = 'system' | 'user';
