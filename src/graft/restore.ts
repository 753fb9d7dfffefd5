import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PreambleError } from '../errors.ts';
import { sha256OfFile } from '../model/obtain/file-digest.ts';
import { type Graft, type RestoreFile, readGraft } from './graft-file.ts';
import { changed, rebuildWeights } from './rebuild.ts';
import { type CopyMode, takeFile } from './source-files.ts';
import { assertDiskHolds, withStaging } from './staging.ts';

/**
 * Writes the checkpoint that was grafted, bit for bit, and holds each file that was changed against the digest of the original.
 * Throws `file_unreadable`, `format_invalid`, `digest_mismatch`, `file_unwritable`, and `model_unsupported` where there is nothing to restore.
 */
export async function restoreGraft(
  grafted: string,
  out: string,
  copy: CopyMode,
  onBytes: (bytes: number, total: number) => void,
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
  const total = restore.files.reduce((sum, { kind, size }) => sum + (kind === 'weights' ? size : 0), 0);
  await withStaging(out, `restore-${graft.source.embeddingsSha256.slice(0, 12)}`, async (staging) => {
    for (const file of restore.files) {
      await staging.file(file.name, (path) =>
        restoreFile(grafted, graft, restore.folder, file, path, copy, (bytes) => onBytes(bytes, total)),
      );
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
    const digest = await rebuildWeights(join(grafted, file.name), kept, file.size, virtualIds(graft), target, onBytes);
    if (digest !== file.sha256) throw changed(file.name);
  }
}

function virtualIds({ prompts }: Graft): number[] {
  return prompts.flatMap(({ tokens }) => tokens.map(({ id }) => id));
}
