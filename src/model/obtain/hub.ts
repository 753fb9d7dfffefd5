import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dispatcher } from 'undici';
import { PreambleError } from '../../errors.ts';
import type { HubPin } from '../known-models.ts';
import type { ProvenanceSource } from '../provenance.ts';
import type { ModelCache } from './cache.ts';
import { downloadFile, type ExpectedFile } from './download.ts';
import { byteProgress, type ObtainContext } from './events.ts';
import { accumulate } from './file-digest.ts';
import { openHttp } from './http.ts';
import { describeRepository } from './hub-repository.ts';

/** What a source leaves behind: a folder with the model's files, ready to be moved to its place. */
export interface Fetched {
  id: string;
  source: ProvenanceSource;
  directory: string;
}

export interface HubSettings {
  /** Without a slash at its end. */
  endpoint: string;
  offline: boolean;
  /** For gated and private repositories. */
  token: string | undefined;
}

/** The same environment variables as the hub's own clients. */
export function hubSettings(environment: NodeJS.ProcessEnv = process.env): HubSettings {
  const endpoint = environment['HF_ENDPOINT'] || 'https://huggingface.co';
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol)) {
    throw new PreambleError('config_invalid', `HF_ENDPOINT is not a web address: ${endpoint}.`, {
      action: 'Unset it, or give an address such as https://huggingface.co.',
    });
  }
  return {
    endpoint: endpoint.replace(/\/+$/, ''),
    offline: /^(1|true|yes|on)$/i.test(environment['HF_HUB_OFFLINE'] ?? ''),
    token: environment['HF_TOKEN'] || undefined,
  };
}

/**
 * Fetches a repository's model files into the staging folder. `pin` is a known commit with known digests, or the name of a repository,
 * whose current commit and digests the hub itself is asked for (LFS object ids and git blob ids, over TLS).
 * Throws UnreachableError, `model_unavailable`, `digest_mismatch`, or the system's error of a failed write.
 */
export async function fetchFromHub(
  cache: ModelCache,
  name: string,
  pin: HubPin | string,
  settings: HubSettings,
  context: ObtainContext,
): Promise<Fetched> {
  const dispatcher = openHttp();
  try {
    const repository =
      typeof pin === 'string'
        ? await describeRepository(pin, settings, context.signal)
        : { id: pin.repository, revision: pin.revision, files: pin.files.map(expectPinned) };
    const directory = cache.staging(name, `hub-${repository.revision.slice(0, 12)}`);
    await mkdir(directory, { recursive: true });
    await downloadAll(repository, directory, settings, dispatcher, context);
    return {
      id: repository.id,
      directory,
      source: { kind: 'hub', repository: repository.id, revision: repository.revision },
    };
  } finally {
    await dispatcher.destroy();
  }
}

/** A commit of a repository and its files that a model needs. */
export interface HubRepository {
  id: string;
  revision: string;
  files: ExpectedFile[];
}

async function downloadAll(
  repository: HubRepository,
  directory: string,
  settings: HubSettings,
  dispatcher: Dispatcher,
  context: ObtainContext,
): Promise<void> {
  const total = repository.files.reduce((sum, file) => sum + file.size, 0);
  const progress = accumulate(byteProgress(context, 'download', repository.id), total);
  // Small files first: what is wrong with the repository shows before the large one.
  for (const expected of [...repository.files].sort((a, b) => a.size - b.size)) {
    const onProgress = progress.next(expected.size);
    await downloadFile({
      url: `${settings.endpoint}/${repository.id}/resolve/${repository.revision}/${expected.name}`,
      headers: settings.token === undefined ? {} : { authorization: `Bearer ${settings.token}` },
      path: join(directory, expected.name),
      expected,
      dispatcher,
      signal: context.signal,
      onProgress,
    });
    onProgress(expected.size);
  }
}

function expectPinned({ name, size, sha256 }: { name: string; size: number; sha256: string }): ExpectedFile {
  return { name, size, digest: { algorithm: 'sha256', hex: sha256 } };
}
