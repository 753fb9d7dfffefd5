import { createHash } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PreambleError } from '../errors.ts';
import { readSafetensorsHeader } from '../formats/safetensors.ts';
import { parseSafetensorsHeader } from '../formats/safetensors-header.ts';
import { EMBEDDINGS_TENSOR } from '../model/embeddings-digest.ts';
import { sha256OfFile } from '../model/obtain/file-digest.ts';
import { type Graft, type RestoreFile, readGraft } from './graft-file.ts';
import { overwrittenRows } from './originals.ts';
import { readPieces, replaceRows } from './rewrite-weights.ts';
import { type CopyMode, takeFile } from './source-files.ts';
import { assertDiskHolds, withStaging } from './staging.ts';
import { HEAD_TENSOR } from './weight-changes.ts';

/** Bytes of the length in front of a safetensors header. */
const LENGTH_BYTES = 8;

/**
 * Writes the checkpoint that was grafted, bit for bit, and holds each file that was changed against the digest of the original.
 * Throws `file_unreadable`, `format_invalid`, `digest_mismatch`, `file_unwritable`, and `model_unsupported` where there is nothing to restore.
 */
export async function restoreGraft(
  grafted: string,
  out: string,
  copy: CopyMode,
  onBytes: (bytes: number) => void,
): Promise<Graft> {
  const graft = await readGraft(grafted);
  const { restore } = graft;
  if (restore === null) {
    throw new PreambleError(
      'model_unsupported',
      `${grafted} was converted into another format, and does not hold its original.`,
      {
        action: `Use the checkpoint that it was made from: ${graft.source.modelId}.`,
      },
    );
  }
  const written = restore.files.filter(({ kind }) => kind !== 'unchanged' || copy === 'copy');
  await assertDiskHolds(
    out,
    written.reduce((sum, { size }) => sum + size, 0),
  );
  await withStaging(out, `restore-${graft.source.embeddingsSha256.slice(0, 12)}`, async (staging) => {
    for (const file of restore.files) {
      await staging.file(file.name, (path) => restoreFile(grafted, graft, restore.folder, file, path, copy, onBytes));
    }
  });
  return graft;
}

async function restoreFile(
  grafted: string,
  graft: Graft,
  folder: string,
  file: RestoreFile,
  target: string,
  copy: CopyMode,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const kept = join(grafted, folder, file.name);
  if (file.kind === 'unchanged') {
    await takeFile(join(grafted, file.name), target, copy);
    if ((await stat(target)).size !== file.size) throw changed(file.name);
  } else if (file.kind === 'kept') {
    await takeFile(kept, target, 'copy');
    if ((await sha256OfFile(target)) !== file.sha256) throw changed(file.name);
  } else {
    const digest = await rebuildWeights(join(grafted, file.name), kept, virtualIds(graft), target, onBytes);
    if (digest !== file.sha256) throw changed(file.name);
  }
}

/** Writes the old file and gives its SHA-256. */
async function rebuildWeights(
  grafted: string,
  kept: string,
  ids: readonly number[],
  target: string,
  onBytes: (bytes: number) => void,
): Promise<string> {
  const header = await readFile(`${kept}.header`);
  const rows = await readFile(`${kept}.rows`);
  const lengths = await oldLengths(header, kept);
  const { tensors } = await readSafetensorsHeader(grafted);
  const overlays = new Map<string, { rowBytes: number; rows: Map<number, Uint8Array> }>();
  let at = 0;
  for (const name of [EMBEDDINGS_TENSOR, HEAD_TENSOR]) {
    const old = lengths.find((tensor) => tensor.name === name);
    if (old === undefined) continue;
    const rowBytes = old.length / (old.shape[0] ?? 1);
    const overwritten = overwrittenRows(old, ids);
    overlays.set(name, {
      rowBytes,
      rows: new Map(
        overwritten.map((row, index) => [row, rows.subarray(at + index * rowBytes, at + (index + 1) * rowBytes)]),
      ),
    });
    at += overwritten.length * rowBytes;
  }
  const hash = createHash('sha256').update(header);
  await using file = await open(target, 'wx');
  await file.writeFile(header);
  for (const { name, length } of lengths) {
    const now = tensors.get(name);
    if (now === undefined || now.length < length) throw changed(basename(grafted));
    const pieces = readPieces(grafted, { offset: now.offset, length });
    const overlay = overlays.get(name);
    for await (const piece of overlay === undefined ? pieces : replaceRows(pieces, overlay.rowBytes, overlay.rows)) {
      hash.update(piece);
      await file.writeFile(piece);
      onBytes(piece.length);
    }
  }
  return hash.digest('hex');
}

/** The tensors of the old file as they lay. */
async function oldLengths(header: Buffer, path: string) {
  const json = header.subarray(LENGTH_BYTES);
  const end = /"data_offsets":\s*\[\s*\d+,\s*(\d+)\s*\]/g;
  const data = Math.max(0, ...[...json.toString('utf8').matchAll(end)].map(([, bytes]) => Number(bytes)));
  const { tensors } = parseSafetensorsHeader(json, header.length + data, basename(path));
  return [...tensors].map(([name, location]) => ({ name, ...location })).sort((a, b) => a.offset - b.offset);
}

function virtualIds({ prompts }: Graft): number[] {
  return prompts.flatMap(({ tokens }) => tokens.map(({ id }) => id));
}

function changed(name: string): PreambleError {
  return new PreambleError(
    'digest_mismatch',
    `${name} of the grafted checkpoint has been changed, so that the original is lost.`,
    {
      action: 'Get the original model again.',
    },
  );
}
