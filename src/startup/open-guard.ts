import type { Logger } from 'pino';
import { Agent } from 'undici';
import type { GuardSettings } from '../config/schema/guard.ts';
import { readSecret } from '../config/secret.ts';
import type { GuardPolicy } from '../guard/guard.ts';
import { createModerationsGuard } from '../guard/moderations.ts';

/** A guard that is away is away for every answer. */
const COMPLAIN_EVERY_MS = 60_000;
/** To the guard, for all settings that were in force: a question takes some tens of milliseconds. */
const CONNECTIONS = 128;

/** Makes guards of settings; their connections outlive a reload, as answers do. */
export interface Guards {
  /** Null for none. */
  make(settings: GuardSettings | undefined, apiKey: string | null): GuardPolicy | null;
  /** Lets questions be answered that are under way. */
  close(): Promise<void>;
}

export function openGuards(logger: Logger): Guards {
  let dispatcher: Agent | null = null;
  return {
    make(settings, apiKey) {
      if (settings === undefined) return null;
      dispatcher ??= new Agent({ connections: CONNECTIONS });
      const { url, model = null, timeoutSeconds, holdBack, onUnavailable, replacement } = settings;
      const bySentence = holdBack !== 'answer';
      return {
        guard: createModerationsGuard({ url, model, apiKey, timeoutSeconds, bySentence, dispatcher }),
        holdsBack: holdBack !== 'none',
        onUnavailable,
        replacement,
        onFault: complainSometimes(logger, onUnavailable),
      };
    },
    async close() {
      await dispatcher?.close();
    },
  };
}

/** Throws `file_unreadable`, `config_invalid`. */
export async function readGuardKey(settings: GuardSettings | undefined): Promise<string | null> {
  return settings?.apiKey === undefined ? null : await readSecret(settings.apiKey);
}

function complainSometimes(logger: Logger, instead: GuardSettings['onUnavailable']): (error: unknown) => void {
  let last = Number.NEGATIVE_INFINITY;
  let questions = 0;
  return (err) => {
    questions++;
    const now = performance.now();
    if (now - last < COMPLAIN_EVERY_MS) return;
    logger.error({ event: 'guard.unavailable', instead, questions, err }, 'the guard could not be asked');
    last = now;
    questions = 0;
  };
}
