import type { Logger } from 'pino';
import type { Backend } from '../backends/backend.ts';
import { createEmbeddedBackend } from '../backends/embedded/embedded.ts';
import { loadEmbeddedModel } from '../backends/embedded/model.ts';
import { trackReadiness } from '../backends/readiness.ts';
import type { Config } from '../config/schema.ts';
import { promptDirectories } from '../config.ts';
import type { Gateway } from '../gateway.ts';
import type { ModelEvent } from '../model/obtain/events.ts';
import type { ModelPolicy } from '../policy/decide-plan.ts';
import { openPromptRegistry } from '../prompts/registry.ts';
import { createRefusalDetector } from '../refusal/phrase-detector.ts';
import { type ResolvedPrompt, resolvePrompt } from './resolve-prompt.ts';

/** The configuration with everything that it names looked up, before anything slow is begun. */
export interface Prepared {
  readonly config: Config;
  readonly prompts: ReadonlyMap<string, ResolvedPrompt>;
}

/** Throws `prompt_not_found`, `prompt_invalid`, `digest_mismatch`, `file_unreadable`. */
export async function prepare(config: Config): Promise<Prepared> {
  const registry = await openPromptRegistry(promptDirectories(config));
  const prompts = new Map<string, ResolvedPrompt>();
  for (const [name, settings] of Object.entries(config.models)) {
    prompts.set(name, await resolvePrompt(settings, registry));
  }
  return { config, prompts };
}

/** Puts the parts together; `gateway.readiness.begin()` loads the models. */
export function createGateway(
  { config, prompts }: Prepared,
  logger: Logger,
  onEvent: (event: ModelEvent) => void,
): Gateway {
  const backends = new Map<string, Backend>();
  const models = new Map<string, ModelPolicy>();
  for (const [name, settings] of Object.entries(config.models)) {
    const prompt = prompts.get(name);
    const state = prompt?.state ?? { kind: 'none' };
    if (state.kind === 'unavailable') {
      const { reference, reason } = state;
      const instead = settings.onPromptUnavailable;
      logger.warn(
        { event: 'prompt.unavailable', model: name, prompt: reference, reason, instead },
        'prompt unavailable',
      );
    }
    models.set(name, {
      backend: settings.backend.kind,
      prompt: state,
      onPromptUnavailable: settings.onPromptUnavailable,
    });
    backends.set(
      name,
      createEmbeddedBackend({
        load: (signal) =>
          loadEmbeddedModel(settings.backend, { manifest: prompt?.version?.manifest ?? null, onEvent, signal }),
        sampling: settings.backend.sampling,
        onIgnoredField: (field) =>
          logger.warn({ event: 'field.ignored', model: name, field }, 'a request field has no effect on this model'),
      }),
    );
  }
  return {
    policy: { models },
    backends,
    readiness: trackReadiness(backends),
    detector: createRefusalDetector(),
    limits: config.limits,
    logContent: config.log.content,
  };
}
