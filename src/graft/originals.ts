import { copyFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readExactly, withFile } from '../formats/file-ranges.ts';
import { readSafetensorsHeader } from '../formats/safetensors.ts';
import { sha256OfFile } from '../model/obtain/file-digest.ts';
import type { RestoreFile } from './graft-file.ts';
import { readRows, type WeightChanges } from './rewrite-weights.ts';
import type { Staging } from './staging.ts';

/** Folder of a grafted checkpoint with what it replaced. Loaders do not look into folders. */
export const ORIGINALS = 'preamble-original';

/**
 * Keeps what a file was. Of weights: what stands before the tensors, and the rows that were overwritten, tensor after tensor in the order of
 * `overwrittenRows`; all else is in the graft itself.
 */
export async function keepOriginal(
  source: string,
  name: string,
  staging: Staging,
  weights: { changes: WeightChanges; sha256: string } | null = null,
): Promise<RestoreFile> {
  const path = join(source, name);
  const { size } = await stat(path);
  if (weights === null) {
    await staging.file(`${ORIGINALS}/${name}`, (target) => copyFile(path, target));
    return { kind: 'kept', name, size, sha256: await sha256OfFile(path) };
  }
  const { tensors } = await readSafetensorsHeader(path);
  await staging.file(`${ORIGINALS}/${name}.header`, async (target) => {
    const start = Math.min(size, ...[...tensors.values()].map(({ offset }) => offset));
    const header = new Uint8Array(start);
    await withFile(path, (file) => readExactly(file, header, 0));
    await writeFile(target, header);
  });
  await staging.file(`${ORIGINALS}/${name}.rows`, async (target) => {
    const pieces: Uint8Array[] = [];
    for (const [tensor, { changed }] of weights.changes.tensors) {
      const location = tensors.get(tensor);
      if (location !== undefined)
        pieces.push(await readRows(path, location, overwrittenRows(location, [...changed.keys()])));
    }
    await writeFile(target, Buffer.concat(pieces));
  });
  return { kind: 'weights', name, size, sha256: weights.sha256 };
}

/** Of the ids of virtual tokens those that had a row before, ascending. */
export function overwrittenRows({ shape }: { readonly shape: readonly number[] }, ids: readonly number[]): number[] {
  return ids.filter((id) => id < (shape[0] ?? 0)).sort((a, b) => a - b);
}
