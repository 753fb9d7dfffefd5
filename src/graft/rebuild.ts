import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { PreambleError } from '../errors.ts';
import { parseGgufHeader } from '../formats/gguf/header.ts';
import { readGgufHeader } from '../formats/gguf.ts';
import { readSafetensorsHeader } from '../formats/safetensors.ts';
import { parseSafetensorsHeader } from '../formats/safetensors-header.ts';
import { writeAll } from '../formats/write-all.ts';
import { EMBEDDINGS_TENSOR } from '../model/embeddings-digest.ts';
import { overwrittenRows } from './originals.ts';
import { readPieces, replaceRows } from './rewrite-weights.ts';
import { HEAD_TENSOR } from './weight-changes.ts';

/** Bytes of the length in front of a safetensors header. */
const LENGTH_BYTES = 8;
/** The matrices that a graft changes, in the order in which their rows are kept. */
const MATRICES = [EMBEDDINGS_TENSOR, HEAD_TENSOR, 'token_embd.weight', 'output.weight'];

interface OldTensor {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
  readonly shape: readonly number[];
}

/**
 * Writes a file of weights as it was, and gives its SHA-256. `kept` names what was kept of it, without its ending. Throws `digest_mismatch` where
 * the graft no longer has what is needed.
 */
export async function rebuildWeights(
  grafted: string,
  kept: string,
  size: number,
  ids: readonly number[],
  target: string,
  onBytes: (bytes: number) => void,
): Promise<string> {
  const header = await readFile(`${kept}.header`);
  const tensors = oldTensors(header, size, kept);
  const now = grafted.endsWith('.gguf')
    ? (await readGgufHeader(grafted)).tensors
    : (await readSafetensorsHeader(grafted)).tensors;
  const overlays = keptRows(tensors, ids, await readFile(`${kept}.rows`));
  const hash = createHash('sha256');
  await using file = await open(target, 'wx');
  let at = 0;
  const write = async (piece: Uint8Array) => {
    hash.update(piece);
    await writeAll(file, piece);
    at += piece.length;
    onBytes(piece.length);
  };
  await write(header);
  for (const { name, offset, length } of tensors) {
    const place = now.get(name);
    if (place === undefined || place.length < length || offset < at) throw changed(basename(grafted));
    await write(new Uint8Array(offset - at));
    const pieces = readPieces(grafted, { offset: place.offset, length });
    const overlay = overlays.get(name);
    for await (const piece of overlay === undefined ? pieces : replaceRows(pieces, overlay.rowBytes, overlay.rows)) {
      await write(piece);
    }
  }
  if (size < at) throw changed(basename(grafted));
  await write(new Uint8Array(size - at));
  return hash.digest('hex');
}

/** The tensors of the old file as they lay. */
function oldTensors(header: Buffer, size: number, path: string): OldTensor[] {
  const name = basename(path);
  const { tensors } = name.endsWith('.gguf')
    ? parseGgufHeader(header, size, name)
    : parseSafetensorsHeader(header.subarray(LENGTH_BYTES), size, name);
  return [...tensors]
    .map(([tensor, { offset, length, shape }]) => ({ name: tensor, offset, length, shape }))
    .sort((a, b) => a.offset - b.offset);
}

function keptRows(tensors: readonly OldTensor[], ids: readonly number[], rows: Buffer) {
  const overlays = new Map<string, { rowBytes: number; rows: Map<number, Uint8Array> }>();
  let at = 0;
  for (const name of MATRICES) {
    const old = tensors.find((tensor) => tensor.name === name);
    if (old === undefined) continue;
    const rowBytes = old.length / (old.shape[0] ?? 1);
    const overwritten = new Map<number, Uint8Array>();
    for (const row of overwrittenRows(old, ids)) {
      overwritten.set(row, rows.subarray(at, at + rowBytes));
      at += rowBytes;
    }
    overlays.set(name, { rowBytes, rows: overwritten });
  }
  return overlays;
}

export function changed(name: string): PreambleError {
  return new PreambleError(
    'digest_mismatch',
    `${name} of the grafted checkpoint has been changed, so that the original is lost.`,
    { action: 'Get the original model again.' },
  );
}
