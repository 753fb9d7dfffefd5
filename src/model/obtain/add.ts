import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { PreambleError } from '../../errors.ts';
import { findKnownModel } from '../known-models.ts';
import { type CachedModel, findCached, isModelName, type ModelCache, openCache, prepareCache } from './cache.ts';
import type { ModelEvent, ObtainContext } from './events.ts';
import { sha256OfFile } from './file-digest.ts';
import { cancelled, writeError } from './file-errors.ts';
import { convertInto } from './gguf.ts';
import { installDirectory, installFetched } from './install.ts';
import { identifyDirectory, localDirectory } from './local-directory.ts';
import { withModelLock } from './lock.ts';

export interface AddOptions {
  /** What it is called from then on; default the file's or folder's name. */
  name?: string | undefined;
  onEvent?: (event: ModelEvent) => void;
  signal?: AbortSignal;
}

/** Converts a GGUF file into the cache. Throws `file_unreadable`, `format_invalid`, `file_unwritable`, `invalid_request`. */
export async function addGguf(path: string, options: AddOptions = {}): Promise<CachedModel> {
  const name = options.name ?? basename(path).replace(/\.gguf$/i, '');
  return await adding(name, options, async (cache, context) => {
    const sha256 = await sha256OfFile(path, { signal: context.signal });
    const directory = await convertInto(cache.staging(name, 'gguf'), path, context);
    return await installFetched(
      cache,
      name,
      { id: name, directory, source: { kind: 'gguf', file: basename(path), sha256 } },
      context,
    );
  });
}

/** Gives a directory a name; its files stay where they are. Throws `format_invalid`, `model_unsupported`, `file_unwritable`, `invalid_request`. */
export async function addDirectory(path: string, options: AddOptions = {}): Promise<CachedModel> {
  const directory = resolve(path);
  const name = options.name ?? basename(directory);
  return await adding(name, options, async (cache, context) => {
    await localDirectory(directory);
    return await installDirectory(cache, name, await identifyDirectory(directory), directory, context);
  });
}

async function adding(
  name: string,
  options: AddOptions,
  install: (cache: ModelCache, context: ObtainContext) => Promise<CachedModel>,
): Promise<CachedModel> {
  if (!isModelName(name))
    throw nameRefused(name, 'is not a model name', 'Names have letters, digits, dots, dashes and underscores.');
  if (findKnownModel(name) !== undefined) throw nameRefused(name, 'is the name of a known model', 'Choose another.');
  const cache = openCache();
  const context: ObtainContext = { onEvent: options.onEvent ?? (() => {}), signal: options.signal };
  await prepareCache(cache);
  return await withModelLock(cache, name, context, async (signal) => {
    const existing = await stat(cache.entry(name)).catch(() => null);
    if (existing !== null && (await findCached(cache, name).catch(() => null))?.problems.length !== 0) {
      context.onEvent({ kind: 'notice', message: `Replacing the damaged ${name}.` });
    } else if (existing !== null) {
      throw nameRefused(
        name,
        'is taken',
        `Choose another with --name, or remove it first: preamble model remove ${name}`,
      );
    }
    try {
      return await install(cache, { ...context, signal });
    } catch (error) {
      if (options.signal?.aborted) throw cancelled(options.signal);
      throw writeError(error, cache.root);
    }
  });
}

function nameRefused(name: string, why: string, action: string): PreambleError {
  return new PreambleError('invalid_request', `"${name.slice(0, 80)}" ${why}.`, { action });
}
