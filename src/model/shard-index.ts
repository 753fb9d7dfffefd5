import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { PreambleError } from '../errors.ts';

/** An index lists each tensor once, about 100 bytes each: room for 160,000. */
const MAX_INDEX_BYTES = 16 * 2 ** 20;
/** A file of the directory itself: an index must not point anywhere else. */
const SHARD_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]*\.safetensors$/;

const indexSchema = Compile(Type.Object({ weight_map: Type.Record(Type.String(), Type.String()) }));

/** Tensor name to file name, from `model.safetensors.index.json`; null where the directory has none. Throws `format_invalid`. */
export async function readShardIndex(directory: string): Promise<ReadonlyMap<string, string> | null> {
  const path = join(directory, 'model.safetensors.index.json');
  const stats = await stat(path).catch(() => null);
  if (stats === null) return null;
  if (stats.size > MAX_INDEX_BYTES) throw broken(path, 'it is larger than 16 MiB');
  let index: unknown;
  try {
    index = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw broken(path, 'it is not JSON', error);
  }
  if (!indexSchema.Check(index)) throw broken(path, 'it has no weight_map');
  const entries = Object.entries(index.weight_map);
  if (!entries.every(([, file]) => SHARD_NAME.test(file))) throw broken(path, 'it points outside its directory');
  return new Map(entries);
}

function broken(path: string, what: string, cause?: unknown): PreambleError {
  return new PreambleError('format_invalid', `${path} is not a valid index: ${what}.`, {
    action: 'Fetch the model again.',
    cause,
  });
}
