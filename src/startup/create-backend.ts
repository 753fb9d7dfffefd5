import type { Backend } from '../backends/backend.ts';
import { createEmbeddedBackend } from '../backends/embedded/embedded.ts';
import { loadEmbeddedModel } from '../backends/embedded/model.ts';
import type { BackendSettings } from '../config/schema/backend.ts';
import { PreambleError } from '../errors.ts';
import type { ModelEvent } from '../model/obtain/events.ts';

export interface BackendEvents {
  onEvent(event: ModelEvent): void;
  /** Called once for each name of a request field that has no effect. */
  onIgnoredField(field: string): void;
}

/** What answers for one model, by its settings' kind. */
export function createBackend(settings: BackendSettings, { onEvent, onIgnoredField }: BackendEvents): Backend {
  if (settings.kind === 'embedded') {
    return createEmbeddedBackend({
      load: (signal) => loadEmbeddedModel(settings, { onEvent, signal }),
      sampling: settings.sampling,
      onIgnoredField,
    });
  }
  throw new PreambleError('config_invalid', 'vLLM servers cannot be used yet.');
}
