import { availableParallelism } from 'node:os';
import type { EmbeddedSettings } from '../../config/schema/backend.ts';
import { createEngine } from '../../engine/engine.ts';
import type { Engine } from '../../engine/generation.ts';
import { type ChatTemplate, loadChatTemplate } from '../../model/chat/chat-template.ts';
import { openCheckpoint } from '../../model/checkpoint.ts';
import { openCache } from '../../model/obtain/cache.ts';
import type { ModelEvent } from '../../model/obtain/events.ts';
import { obtainModel } from '../../model/obtain/obtain.ts';
import { loadTokenizer, type Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { identifyModel, type ModelIdentity } from '../../prompts/model-identity.ts';

/** A model that is loaded and can answer. */
export interface EmbeddedModel {
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
  /** Null for a base model, which can complete but not chat. */
  readonly template: ChatTemplate | null;
  /** What prompts are held against. */
  readonly identity: ModelIdentity;
}

export interface LoadOptions {
  readonly onEvent: (event: ModelEvent) => void;
  readonly signal: AbortSignal;
}

/** Obtains the model and starts the engine. Throws what these throw. */
export async function loadEmbeddedModel(settings: EmbeddedSettings, options: LoadOptions): Promise<EmbeddedModel> {
  const { onEvent, signal } = options;
  const { directory } = await obtainModel(settings.model, { onEvent, signal });
  const tokenizer = await loadTokenizer(directory);
  const template = await loadChatTemplate(directory);
  // Says what is wrong with the weights before their embeddings are hashed.
  await openCheckpoint(directory);
  const identity = await identifyModel(directory, { tokenizer });
  signal.throwIfAborted();
  const engine = await createEngine(
    {
      directory,
      cacheDirectory: openCache().root,
      weights: settings.weights,
      slots: settings.slots,
      queue: settings.queue,
      contextLength: settings.contextLength,
      threads: settings.threads ?? availableParallelism(),
    },
    () => tokenizer.createIncrementalDecoder(),
  );
  return { engine, tokenizer, template, identity };
}
