import type { Logger } from 'pino';
import { PreambleError } from '../errors.ts';
import type { PromptState } from '../policy/snapshot.ts';
import type { PromptRejected } from '../telemetry/observations.ts';
import type { Keep, PreparedPrompts } from './prepare-prompts.ts';
import type { Shared } from './shared.ts';

/** What is wrong with a prompt itself, and stays wrong. */
export const FINAL_FAULTS: ReadonlySet<string> = new Set([
  'prompt_invalid',
  'prompt_mismatch',
  'prompt_not_found',
  'digest_mismatch',
  'file_unreadable',
]);

export interface KeepServed extends Keep {
  /** Why prompts could not be looked at. */
  readonly postponed: unknown[];
}

/** Refuses what can't be used with one line, however many models and tenants name it. */
export function keepServed(
  before: PreparedPrompts,
  check: Keep['check'],
  { logger, onRejected }: { logger: Logger; onRejected(rejected: PromptRejected): void },
): KeepServed {
  const said = new Set<string | null>();
  const postponed: unknown[] = [];
  return {
    before,
    check,
    postponed,
    onKept({ reference, model, state }, error) {
      if (!(error instanceof PreambleError) || !FINAL_FAULTS.has(error.code)) {
        postponed.push(error);
        return;
      }
      onRejected({ model, reference, code: error.code });
      if (said.has(reference)) return;
      said.add(reference);
      const fields = { event: 'prompt.refused', prompt: reference, model, kept: labelOf(state), err: error };
      logger.error(fields, 'a prompt was refused: the old one stays');
    },
  };
}

/** Says in the log which prompts are others now. */
export function logChanges(before: PreparedPrompts, after: PreparedPrompts, logger: Logger): void {
  for (const { model, tenant, reference, state } of after) {
    const old = before.find((prompt) => prompt.model === model && prompt.tenant === tenant);
    const [from, to] = [labelOf(old?.state), labelOf(state)];
    if (from !== to)
      logger.info({ event: 'prompt.changed', model, tenant, prompt: reference, from, to }, 'prompt changed');
  }
}

/** What is served is what a restart without Redis has to serve. */
export async function acceptPrompts(prompts: PreparedPrompts, shared: Shared | null): Promise<void> {
  if (shared === null) return;
  for (const { reference, version } of prompts) {
    if (reference !== null && version !== null) await shared.prompts.accept(reference, version);
  }
}

function labelOf(state: PromptState | undefined): string | null {
  return state?.kind === 'available' ? state.prompt.softPrompt.label : null;
}
