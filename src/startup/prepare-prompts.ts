import type { Logger } from 'pino';
import type { Backend } from '../backends/backend.ts';
import type { Config } from '../config/schema.ts';
import type { ModelEvent } from '../model/obtain/events.ts';
import { type PromptResolver, type ResolvedPrompt, resolvePrompt } from './resolve-prompt.ts';

/** One prompt of the configuration, for one model. */
export interface PreparedPrompt extends ResolvedPrompt {
  /** What the configuration names. */
  readonly reference: string | null;
  /** The configured model. */
  readonly model: string;
  /** Null for the model's own prompt; else the tenant that has this one in its place. */
  readonly tenant: string | null;
  readonly onPromptUnavailable: Config['models'][string]['onPromptUnavailable'];
}

export type PreparedPrompts = readonly PreparedPrompt[];

/** What is served now, each prompt of which stays where what should take its place can't be used. */
export interface Keep {
  readonly before: PreparedPrompts;
  /** Throws `prompt_mismatch`. */
  check(prompt: PreparedPrompt): Promise<void>;
  onKept(before: PreparedPrompt, error: unknown): void;
}

/**
 * Every prompt that models and tenants name. Throws `prompt_not_found`, `prompt_invalid`, `digest_mismatch`, `file_unreadable`; with `keep`, nothing of
 * that.
 */
export async function preparePrompts(
  config: Config,
  registry: PromptResolver,
  keep: Keep | null = null,
): Promise<PreparedPrompts> {
  const prepared: PreparedPrompt[] = [];
  const add = async (model: string, tenant: string | null, reference: string | null) => {
    const onPromptUnavailable = config.models[model]?.onPromptUnavailable ?? 'refuse';
    const look = async () => {
      const resolved = await resolvePrompt(reference, onPromptUnavailable, registry);
      return { ...resolved, reference, model, tenant, onPromptUnavailable };
    };
    const before = keep?.before.find((prompt) => prompt.model === model && prompt.tenant === tenant);
    prepared.push(keep && before ? await lookOrKeep(look, before, keep) : await look());
  };
  for (const [model, { prompt }] of Object.entries(config.models)) await add(model, null, prompt);
  for (const { id, prompts } of config.tenants) {
    for (const [model, reference] of Object.entries(prompts)) await add(model, id, reference);
  }
  return prepared;
}

async function lookOrKeep(look: () => Promise<PreparedPrompt>, before: PreparedPrompt, keep: Keep) {
  try {
    const next = await look();
    if (next.error !== undefined && before.state.kind === 'available') throw next.error;
    await keep.check(next);
    return next;
  } catch (error) {
    keep.onKept(before, error);
    return before;
  }
}

/** Says in the log which prompts are not there, and what happens instead. */
export function warnOfUnavailable(prompts: PreparedPrompts, logger: Logger): void {
  for (const { state, model, tenant, onPromptUnavailable } of prompts) {
    if (state.kind !== 'unavailable') continue;
    const { reference, reason } = state;
    const fields = {
      event: 'prompt.unavailable',
      model,
      tenant,
      prompt: reference,
      reason,
      instead: onPromptUnavailable,
    };
    logger.warn(fields, 'prompt unavailable');
  }
}

/** Holds every prompt of a model against it, now that it is there. Throws `prompt_mismatch`. */
export async function checkPrompts(
  prompts: PreparedPrompts,
  model: string,
  backend: Backend,
  onEvent: (event: ModelEvent) => void,
): Promise<void> {
  for (const { version, model: of } of prompts) {
    if (version === null || of !== model) continue;
    const { name, model: made } = version.manifest;
    if ((await backend.checkPrompt(version)) === 'sameModelOtherConversion') {
      const message = `The prompt ${name} was made on another conversion of ${made.id}: its rows differ by rounding.`;
      onEvent({ kind: 'notice', message });
    }
  }
}
