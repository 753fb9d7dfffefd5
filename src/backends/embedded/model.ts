import { availableParallelism } from 'node:os';
import type { EmbeddedSettings } from '../../config/schema.ts';
import { createEngine } from '../../engine/engine.ts';
import type { Engine } from '../../engine/generation.ts';
import { type ChatTemplate, loadChatTemplate } from '../../model/chat/chat-template.ts';
import { openCache } from '../../model/obtain/cache.ts';
import type { ModelEvent } from '../../model/obtain/events.ts';
import { obtainModel } from '../../model/obtain/obtain.ts';
import { loadTokenizer, type Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { assertPromptFits } from '../../prompts/compatibility.ts';
import type { PromptManifest } from '../../prompts/manifest.ts';
import { identifyModel } from '../../prompts/model-identity.ts';

/** A model that is loaded and can answer. */
export interface EmbeddedModel {
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
  /** Null for a base model, which can complete but not chat. */
  readonly template: ChatTemplate | null;
}

export interface LoadOptions {
  /** Of the prompt that the model will be served with: held against the model before the first request. */
  readonly manifest: PromptManifest | null;
  readonly onEvent: (event: ModelEvent) => void;
  readonly signal: AbortSignal;
}

/** Obtains the model, checks that the prompt was made for it, and starts the engine. Throws what these throw, `prompt_mismatch` among it. */
export async function loadEmbeddedModel(settings: EmbeddedSettings, options: LoadOptions): Promise<EmbeddedModel> {
  const { onEvent, signal, manifest } = options;
  const { directory } = await obtainModel(settings.model, { onEvent, signal });
  const tokenizer = await loadTokenizer(directory);
  const template = await loadChatTemplate(directory);
  if (manifest !== null) {
    const fit = assertPromptFits(manifest, await identifyModel(directory, { tokenizer }));
    if (fit === 'sameModelOtherConversion') {
      const message = `The prompt ${manifest.name} was made on another conversion of ${manifest.model.id}: its rows differ by rounding.`;
      onEvent({ kind: 'notice', message });
    }
  }
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
  return { engine, tokenizer, template };
}
