import { setTimeout as sleep } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import { PreambleError } from '../../errors.ts';
import type { ModelCache } from './cache.ts';
import type { ObtainContext } from './events.ts';
import { cancelled, systemCode, writingTo } from './file-errors.ts';

/** A holder that was killed stops renewing; after this long, in milliseconds, the next one takes over. Renewed three times within it. */
const STALE_MS = 10_000;
const RENEW_MS = 3_000;
/** How often a waiting process looks again, in milliseconds. */
const POLL_MS = 250;

/**
 * Runs `work` while no other process does so for the same model. A process that has to wait says so once; before `work` it should look
 * whether the other one did it already. `work` gets a signal that also fires when the lock is lost (a machine that slept).
 */
export async function withModelLock<Result>(
  cache: ModelCache,
  name: string,
  context: ObtainContext,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const lost = new AbortController();
  const release = await acquire(cache, name, context, lost);
  const signal = context.signal === undefined ? lost.signal : AbortSignal.any([context.signal, lost.signal]);
  try {
    return await work(signal);
  } catch (error) {
    if (lost.signal.aborted) throw lost.signal.reason;
    throw error;
  } finally {
    // A lost lock cannot be released, and need not be.
    await release().catch(() => undefined);
  }
}

async function acquire(
  cache: ModelCache,
  name: string,
  context: ObtainContext,
  lost: AbortController,
): Promise<() => Promise<void>> {
  let told = false;
  for (;;) {
    if (context.signal?.aborted) throw cancelled(context.signal);
    try {
      return await writingTo(cache.root, () =>
        lockfile.lock(cache.entry(name), {
          realpath: false,
          lockfilePath: cache.lock(name),
          stale: STALE_MS,
          update: RENEW_MS,
          onCompromised: (error) => lost.abort(lockLost(name, error)),
        }),
      );
    } catch (error) {
      if (systemCode(error) !== 'ELOCKED') throw error;
    }
    if (!told)
      context.onEvent({
        kind: 'notice',
        message: `Another process is fetching ${name}, or was stopped a moment ago; waiting for it.`,
      });
    told = true;
    await sleep(POLL_MS, undefined, context.signal ? { signal: context.signal } : {}).catch(() => undefined);
  }
}

function lockLost(name: string, cause: Error): PreambleError {
  return new PreambleError(
    'model_unavailable',
    `Another process took over fetching ${name}, as this one stood still.`,
    {
      action: 'Start again; what was fetched is kept.',
      cause,
    },
  );
}
