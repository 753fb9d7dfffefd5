import type { Logger } from 'pino';
import type { Backend } from '../backends/backend.ts';
import { trackReadiness } from '../backends/readiness.ts';
import type { Config } from '../config/schema.ts';
import { promptDirectories } from '../config.ts';
import type { Gateway, Snapshot } from '../gateway.ts';
import type { ModelEvent } from '../model/obtain/events.ts';
import { openPromptRegistry } from '../prompts/registry.ts';
import { createRefusalDetector } from '../refusal/phrase-detector.ts';
import { createBackend } from './create-backend.ts';
import { checkPrompts, type PreparedPrompts, preparePrompts, warnOfUnavailable } from './prepare-prompts.ts';
import { toPolicy } from './to-policy.ts';

/** The configuration with everything that it names looked up, before anything slow is begun. */
export interface Prepared {
  readonly config: Config;
  readonly prompts: PreparedPrompts;
}

/** Throws `prompt_not_found`, `prompt_invalid`, `digest_mismatch`, `file_unreadable`. */
export async function prepare(config: Config): Promise<Prepared> {
  const registry = await openPromptRegistry(promptDirectories(config));
  return { config, prompts: await preparePrompts(config, registry) };
}

export interface LiveGateway extends Gateway {
  /** Ends what the snapshots hold; when no request runs any more. */
  close(): Promise<void>;
}

/** Puts the parts together; `readiness.begin()` loads the models. */
export function createGateway(prepared: Prepared, logger: Logger, onEvent: (event: ModelEvent) => void): LiveGateway {
  const { config } = prepared;
  warnOfUnavailable(prepared.prompts, logger);
  const backends = new Map<string, Backend>();
  for (const [name, settings] of Object.entries(config.models)) {
    const onIgnoredField = (field: string) =>
      logger.warn({ event: 'field.ignored', model: name, field }, 'a request field has no effect on this model');
    backends.set(name, createBackend(settings.backend, { onEvent, onIgnoredField }));
  }
  const snapshot: Snapshot = {
    generation: 1,
    policy: toPolicy(config, prepared.prompts),
    backends,
    logContent: config.log.content,
  };
  return {
    current: () => snapshot,
    readiness: trackReadiness(backends, (name, backend) => checkPrompts(prepared.prompts, name, backend, onEvent)),
    detector: createRefusalDetector(),
    responses: null,
    limits: config.limits,
    async close() {
      await Promise.all([...backends.values()].map((backend) => backend.close()));
    },
  };
}
