import type { Logger } from 'pino';
import type { Backend } from '../backends/backend.ts';
import { trackReadiness } from '../backends/readiness.ts';
import type { Config } from '../config/schema.ts';
import { checkTogether } from '../config/together.ts';
import { promptDirectories } from '../config.ts';
import { PreambleError } from '../errors.ts';
import type { Gateway } from '../gateway.ts';
import { createLocalCounters } from '../limits/local-counters.ts';
import { surviveLoss } from '../limits/shared-counters.ts';
import type { ModelEvent } from '../model/obtain/events.ts';
import { knownPrompts } from '../prompts/known-prompts.ts';
import { openPromptRegistry, type PromptVersion } from '../prompts/registry.ts';
import { createRefusalDetector } from '../refusal/phrase-detector.ts';
import { createObservations } from '../telemetry/observations.ts';
import { readAdminPassword } from './admin-password.ts';
import { rolloutNames, withCandidates } from './candidates.ts';
import { keepFixed } from './fixed-settings.ts';
import { nextBackends } from './model-backends.ts';
import { openGuards, readGuardKey } from './open-guard.ts';
import type { OpenRollouts } from './open-rollouts.ts';
import { checkPrompts, type Keep, type PreparedPrompts, preparePrompts, warnOfUnavailable } from './prepare-prompts.ts';
import { acceptPrompts, keepServed, logChanges } from './refresh.ts';
import type { PromptResolver } from './resolve-prompt.ts';
import type { Shared } from './shared.ts';
import { createSnapshots } from './snapshots.ts';
import { toPolicy } from './to-policy.ts';

/** The configuration with everything that it names looked up, before anything slow is begun. */
export interface Prepared {
  readonly config: Config;
  readonly prompts: PreparedPrompts;
  readonly resolver: PromptResolver;
  /** What the guard's endpoint is asked with. */
  readonly guardKey: string | null;
  /** Digest of what operators are asked for. */
  readonly adminPassword: Buffer | null;
}

/** Throws `prompt_not_found`, `prompt_invalid`, `digest_mismatch`, `file_unreadable`, `config_invalid`. */
export async function prepare(
  config: Config,
  shared: Shared | null = null,
  keep: Keep | null = null,
  rollouts: OpenRollouts | null = null,
): Promise<Prepared> {
  const registry = await openPromptRegistry(promptDirectories(config));
  const all = shared?.prompts.over(registry) ?? registry;
  const resolver = rollouts?.over(all) ?? all;
  // A look at the prompts alone is not to fail for a file that is none of theirs.
  const guardKey = keep === null ? await readGuardKey(config.guard) : null;
  const adminPassword = keep === null ? await readAdminPassword(config.admin) : null;
  return { config, prompts: await preparePrompts(config, resolver, keep), resolver, guardKey, adminPassword };
}

export interface LiveGateway extends Gateway {
  /**
   * Takes over what can change while the gateway runs. Models whose backend is set up differently get a new one, and are answered by the
   * old one until the new one is ready. Throws what {@link prepare} throws, `prompt_mismatch`, and why a new backend can't be served; then
   * nothing has changed. A further call ends one that still waits for a backend.
   */
  reload(config: Config): Promise<void>;
  /**
   * Looks every prompt up anew, for names that mean another version now. One that can't be used is refused with a line in the log, and what was
   * served in its place stays. Throws why one could not be looked at now (its model's server is away, say), once the others have been; and
   * `file_unreadable` for a directory of prompts that is gone.
   */
  refreshPrompts(): Promise<void>;
  /** Ends what the snapshots hold; when no request runs any more. */
  close(): Promise<void>;
}

/** Puts the parts together; `readiness.begin()` loads the models. Prompts and limits are looked up in what is `shared`. */
export function createGateway(
  prepared: Prepared,
  logger: Logger,
  onEvent: (event: ModelEvent) => void,
  shared: Shared | null = null,
  open: OpenRollouts | null = null,
): LiveGateway {
  const observations = createObservations((err) => logger.error({ err }, 'an observer failed'));
  const surroundings = { logger, observations, onEvent };
  let running = prepared;
  /** Counts up, so that a reload sees that prompts have been looked up anew since it did. */
  let refreshes = 0;
  let refreshing: Promise<void> = Promise.resolve();
  let reloading = new AbortController();

  const closeUnused = (backend: Backend) => {
    backend.close().catch((error: unknown) => logger.error({ err: error }, 'a backend did not close'));
  };
  const guards = openGuards(logger);
  let guard = guards.make(prepared.config.guard, prepared.guardKey);
  let { adminPassword } = prepared;
  const contents = ({ config, prompts }: Prepared, backends: ReadonlyMap<string, Backend>) => ({
    policy: toPolicy(config, prompts),
    backends,
    logContent: config.log.content,
    guard,
  });

  warnOfUnavailable(prepared.prompts, logger);
  const { all: initial } = nextBackends(prepared.config, null, surroundings);
  const snapshots = createSnapshots(contents(prepared, initial), closeUnused);
  const checkLoaded = async (name: string, backend: Backend) => {
    const { prompts } = running;
    await checkPrompts(prompts, name, backend, onEvent);
    await acceptPrompts(
      prompts.filter(({ model }) => model === name),
      shared,
    );
  };
  const readiness = trackReadiness(initial, checkLoaded, () => shared?.degradations() ?? []);

  /** Those that are new to their model: what runs was held against it already. A model that still loads is checked when it has loaded. */
  const checkNew = async (
    prompts: PreparedPrompts,
    backends: ReadonlyMap<string, Backend>,
    fresh: ReadonlySet<string> = new Set(),
  ) => {
    for (const [name, backend] of backends) {
      if (!fresh.has(name) && readiness.isLoading(name)) continue;
      const known = fresh.has(name) ? [] : running.prompts.filter(({ model }) => model === name);
      const digests = new Set(known.map(({ version }) => version?.digest));
      const unchecked = prompts.filter(({ version }) => !digests.has(version?.digest));
      await checkPrompts(unchecked, name, backend, onEvent);
    }
  };
  /** A candidate is held against its model once, however often prompts are looked up. */
  const checkedCandidates = new WeakMap<Backend, Set<string>>();
  /** Those that rollouts have put beside prompts, for operators to look at. */
  let tried: readonly PromptVersion[] = [];
  /** The prompts with what rollouts put beside them. */
  const candidates = async ({ prompts, resolver }: Prepared, backends: ReadonlyMap<string, Backend>) => {
    if (open === null) return prompts;
    const sound: PromptVersion[] = [];
    const check = async (model: string, version: PromptVersion) => {
      const backend = backends.get(model);
      if (backend === undefined) return;
      const known = checkedCandidates.get(backend) ?? new Set();
      checkedCandidates.set(backend, known);
      if (!known.has(version.digest)) await backend.checkPrompt(version);
      known.add(version.digest);
      sound.push(version);
    };
    const { rollouts } = open;
    const all = await withCandidates(prompts, { rollouts, resolver, isLoading: readiness.isLoading, check, logger });
    tried = sound;
    return all;
  };
  const loaded = (prompts: PreparedPrompts) => prompts.filter(({ model }) => !readiness.isLoading(model));
  const refresh = async (): Promise<void> => {
    refreshes++;
    const { backends } = snapshots.current();
    const keep = keepServed(running.prompts, (prompt) => checkNew([prompt], backends), {
      logger,
      onRejected: observations.promptRejected,
    });
    const next = await prepare(running.config, shared, keep, open);
    const prompts = await candidates(next, backends);
    // A reload came between: these prompts were looked up for settings that hold no more.
    if (next.config !== running.config) return await refresh();
    logChanges(running.prompts, next.prompts, logger);
    running = next;
    snapshots.replace(contents({ ...next, prompts }, backends));
    open?.rollouts.announce();
    await acceptPrompts(loaded(next.prompts), shared);
    if (keep.postponed.length > 0) throw keep.postponed[0];
  };

  const refreshPrompts = (): Promise<void> => {
    refreshing = refreshing.catch(() => {}).then(refresh);
    return refreshing;
  };
  open?.rollouts.begin(observations, refreshPrompts, rolloutNames(prepared.prompts));

  const local = createLocalCounters();
  const onUnavailable = prepared.config.redis?.onUnavailable ?? 'refuse';

  return {
    current: snapshots.current,
    hold: snapshots.hold,
    release: snapshots.release,
    observations,
    rollouts: open?.rollouts ?? null,
    async findPrompts() {
      const used = running.prompts.flatMap(({ version }) => version ?? []);
      return knownPrompts([...used, ...tried], await openPromptRegistry(promptDirectories(running.config)));
    },
    readiness,
    detector: createRefusalDetector(),
    responses: shared?.responses ?? null,
    redisState: () => shared?.state() ?? null,
    adminPassword: () => adminPassword,
    counters: shared === null ? local : surviveLoss(shared.counters, { onUnavailable, local, logger }),
    limits: prepared.config.limits,
    passThrough: prepared.config.passThrough,
    refreshPrompts,
    async reload(wanted) {
      reloading.abort(superseded());
      reloading = new AbortController();
      const { signal } = reloading;
      const config = keepFixed(wanted, running.config, logger);
      // Once more: it was checked with an address that may not be the one where the gateway listens.
      checkTogether(config, (keys) => keys.join('.'));
      let next = await prepare(config, shared, null, open);
      let { prompts } = next;
      signal.throwIfAborted();
      const { backends } = snapshots.current();
      const { all, fresh } = nextBackends(config, { config: running.config, backends }, surroundings);
      try {
        await Promise.race([Promise.all([...fresh].map((name) => all.get(name)?.ready())), rejection(signal)]);
        for (let seen = -1; seen !== refreshes; ) {
          seen = refreshes;
          next = await prepare(config, shared, null, open);
          await checkNew(next.prompts, all, fresh);
          prompts = await candidates(next, all);
        }
        signal.throwIfAborted();
        // Those that are kept; a new one has just read its own.
        for (const [name, backend] of all) if (!fresh.has(name)) await backend.renewKey?.();
      } catch (error) {
        for (const name of fresh) await all.get(name)?.close();
        throw error;
      }
      warnOfUnavailable(next.prompts, logger);
      for (const name of snapshots.current().backends.keys()) {
        if (fresh.has(name) || !all.has(name)) readiness.forget(name);
      }
      running = next;
      guard = guards.make(config.guard, next.guardKey);
      // Where it is read stays, as all of `admin`; what stands there may be another.
      adminPassword = next.adminPassword;
      logger.level = config.log.level;
      snapshots.replace(contents({ ...next, prompts }, all));
      open?.rollouts.announce();
      await acceptPrompts(loaded(next.prompts), shared);
    },
    async close() {
      reloading.abort(superseded());
      await Promise.all([...snapshots.backends()].map((backend) => backend.close()));
      await guards.close();
    },
  };
}

function superseded(): PreambleError {
  return new PreambleError('cancelled', 'The settings were read again before these had come into effect.');
}

/** Never resolves. */
function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}
