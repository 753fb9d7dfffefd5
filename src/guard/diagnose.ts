import { Agent } from 'undici';
import type { Finding } from '../backends/upstream/diagnose.ts';
import type { GuardSettings } from '../config/schema/guard.ts';
import { PreambleError } from '../errors.ts';
import { createModerationsGuard } from './moderations.ts';

/** What no guard should mind. */
const HARMLESS = 'Water boils at 100 degrees Celsius at sea level.';

/** Asks the guard once, as answers will: with the same key, model and time-out. */
export async function diagnoseGuard(
  settings: GuardSettings,
  apiKey: string | null,
  signal: AbortSignal,
): Promise<Finding> {
  const { url, model = null, timeoutSeconds } = settings;
  const { origin, pathname } = new URL(url);
  // Neither a password nor a query, which may hold a key.
  const found = { where: origin + pathname, name: 'guard' } as const;
  const dispatcher = new Agent();
  const guard = createModerationsGuard({ url, model, apiKey, timeoutSeconds, bySentence: false, dispatcher });
  try {
    const judge = guard.start({
      requestId: 'doctor',
      tenant: 'doctor',
      model: 'doctor',
      prompt: 'none',
      choice: 0,
      signal,
    });
    await judge.push(HARMLESS);
    const verdict = await judge.end();
    if (verdict.action === 'pass') return { ...found, outcome: 'ok', finding: 'Passes a harmless text.', action: null };
    return {
      ...found,
      outcome: 'warning',
      finding: `Flags a harmless text: ${verdict.reason}.`,
      action: 'Check guard.model, or what the guard is set to flag.',
    };
  } catch (error) {
    if (!(error instanceof PreambleError)) throw error;
    return { ...found, outcome: 'failed', finding: error.message, action: error.action ?? actionOf(error) };
  } finally {
    await dispatcher.destroy();
  }
}

function actionOf({ code }: PreambleError): string {
  return code === 'upstream_timed_out'
    ? 'Raise guard.timeoutSeconds, or give the guard more to run on.'
    : 'Start the guard, or check guard.url.';
}
