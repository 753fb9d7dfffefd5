import type { Logger } from 'pino';
import type { Backend } from '../backends/backend.ts';
import { createEmbeddedBackend } from '../backends/embedded/embedded.ts';
import { loadEmbeddedModel } from '../backends/embedded/model.ts';
import { loadLocalModel } from '../backends/vllm/local-model.ts';
import { createVllmBackend, type VllmEvent } from '../backends/vllm/vllm.ts';
import type { BackendSettings } from '../config/schema/backend.ts';
import { readSecret } from '../config/secret.ts';
import type { ModelEvent } from '../model/obtain/events.ts';
import { obtainModel } from '../model/obtain/obtain.ts';
import type { Observations } from '../telemetry/observations.ts';

export interface BackendSurroundings {
  readonly logger: Logger;
  readonly observations: Observations;
  /** How obtaining a model gets on. */
  onEvent(event: ModelEvent): void;
}

/** What answers for the model `name`, by its settings' kind. */
export function createBackend(
  name: string,
  settings: BackendSettings,
  { logger, observations, onEvent }: BackendSurroundings,
): Backend {
  if (settings.kind === 'embedded') {
    return createEmbeddedBackend({
      load: (signal) => loadEmbeddedModel(settings, { onEvent, signal }),
      sampling: settings.sampling,
      onIgnoredField: (field) =>
        logger.warn({ event: 'field.ignored', model: name, field }, 'a request field has no effect on this model'),
    });
  }
  const { modelDirectory, apiKey } = settings;
  return createVllmBackend({
    settings,
    readApiKey: async () => (apiKey === undefined ? null : await readSecret(apiKey)),
    loadModel: async () =>
      modelDirectory === undefined ? null : loadLocalModel((await obtainModel(modelDirectory, { onEvent })).directory),
    onEvent(event) {
      logVllmEvent(event, name, logger);
      if (event.kind !== 'server') return;
      observations.backendHealthChanged({ model: name, server: event.url, problem: event.problem });
    },
  });
}

function logVllmEvent(event: VllmEvent, model: string, logger: Logger): void {
  switch (event.kind) {
    case 'server': {
      const { url, problem } = event;
      if (problem === null) logger.info({ event: 'upstream.returned', model, url }, 'a model server is back');
      else logger.warn({ event: 'upstream.ejected', model, url, problem }, 'a model server gets no more requests');
      break;
    }
    case 'waiting':
      logger.warn({ event: 'upstream.waiting', model, problem: event.problem }, 'no model server answers yet');
      break;
    case 'check': {
      const { name, outcome, finding, action } = event.check;
      const fields = { event: 'upstream.check', model, check: name, outcome, finding, action };
      if (outcome === 'ok') logger.info(fields, 'model server checked');
      else logger.warn(fields, 'model server checked');
    }
  }
}
