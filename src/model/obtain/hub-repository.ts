import { HubApiError, listFiles, modelInfo } from '@huggingface/hub';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { type Dispatcher, fetch } from 'undici';
import { PreambleError } from '../../errors.ts';
import type { ExpectedFile } from './download.ts';
import { networkError, openHttp, statusError } from './http.ts';
import type { HubRepository, HubSettings } from './hub.ts';

/** What a checkpoint directory is made of; a repository's other files (pictures, other formats) are not fetched. */
const MODEL_FILE =
  /^(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|model\.safetensors\.index)\.json$|^chat_template\.jinja$|^model(-\d{5}-of-\d{5})?\.safetensors$/;
/** The largest checkpoints have about 200 shards. */
const MAX_FILES = 500;
/** A listing of 1,000 files takes about 300 kB. */
const MAX_ANSWER_BYTES = 16 * 2 ** 20;

const entrySchema = Compile(
  Type.Object({
    type: Type.String(),
    path: Type.String(),
    size: Type.Integer({ minimum: 0 }),
    oid: Type.String({ pattern: '^[0-9a-f]{40}$' }),
    lfs: Type.Optional(
      Type.Object({ oid: Type.String({ pattern: '^[0-9a-f]{64}$' }), size: Type.Integer({ minimum: 0 }) }),
    ),
  }),
);
const revisionPattern = /^[0-9a-f]{40}$/;

/**
 * Asks the hub for the current commit of a repository and for the size and digest of its model files.
 * Throws UnreachableError, InterruptedError, `model_unavailable`.
 */
export async function describeRepository(
  id: string,
  settings: HubSettings,
  signal: AbortSignal | undefined,
): Promise<HubRepository> {
  const dispatcher = openHttp(MAX_ANSWER_BYTES);
  const common = {
    hubUrl: settings.endpoint,
    fetch: hubFetch(dispatcher, signal),
    ...(settings.token === undefined ? {} : { accessToken: settings.token }),
  };
  try {
    const { sha } = await modelInfo({ name: id, additionalFields: ['sha'], ...common });
    if (!revisionPattern.test(sha)) throw unusable(id, 'its commit is not a commit id');
    const files: ExpectedFile[] = [];
    for await (const entry of listFiles({ repo: id, revision: sha, ...common })) {
      if (!MODEL_FILE.test(entry.path)) continue;
      files.push(expectListed(id, entry));
      if (files.length > MAX_FILES) throw unusable(id, `it has more than ${MAX_FILES} model files`);
    }
    if (
      !files.some((file) => file.name === 'config.json') ||
      !files.some((file) => file.name.endsWith('.safetensors'))
    ) {
      throw unusable(id, 'it has no config.json or no safetensors weights');
    }
    return { id, revision: sha, files };
  } catch (error) {
    if (error instanceof PreambleError || signal?.aborted) throw error;
    if (error instanceof HubApiError) throw statusError(error.statusCode, `${settings.endpoint}/${id}`);
    throw networkError(error, settings.endpoint);
  } finally {
    await dispatcher.destroy();
  }
}

/** LFS files are named by their SHA-256, the others by git's blob id. */
function expectListed(id: string, entry: unknown): ExpectedFile {
  if (!entrySchema.Check(entry)) throw unusable(id, 'the hub described a file in a form not known');
  const { path, size, oid, lfs } = entry;
  if (lfs === undefined) return { name: path, size, digest: { algorithm: 'git-sha1', hex: oid } };
  return { name: path, size: lfs.size, digest: { algorithm: 'sha256', hex: lfs.oid } };
}

/** The hub package's `fetch` hook, over our client with its timeouts and proxies. */
function hubFetch(dispatcher: Dispatcher, signal: AbortSignal | undefined): typeof globalThis.fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const response = await fetch(request.url, {
      headers: Object.fromEntries(request.headers),
      dispatcher,
      ...(signal ? { signal } : {}),
    });
    const { status, headers } = response;
    return new Response(await response.arrayBuffer(), { status, headers: Object.fromEntries(headers) });
  };
}

function unusable(id: string, what: string): PreambleError {
  return new PreambleError('model_unavailable', `The hub's ${id} cannot be used: ${what}.`, {
    action: 'Choose another repository, or give a directory.',
  });
}
