import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSafetensorsHeader, readTensor } from '../../../../src/formats/safetensors.ts';
import { floatData, hostTensor, openSession } from '../../../../src/graph/session.ts';
import type { Checkpoint } from '../../../../src/model/checkpoint.ts';
import { forwardGraph, forwardNames } from '../../../../src/model/transformer/forward-graph.ts';

const root = join(import.meta.dirname, '../../../fixtures/transformer');

/** The recorded checkpoints, one directory each. */
export async function fixtureNames(): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

export const fixtureDirectory = (name: string) => join(root, name);

export interface Recording {
  ids: number[][];
  /** [rows, tokens, vocabSize] */
  logits: Float32Array;
}

/** What transformers computed for a checkpoint. */
export async function recording(name: string): Promise<Recording> {
  const directory = fixtureDirectory(name);
  const path = join(directory, 'logits.safetensors');
  const logits = (await readSafetensorsHeader(path)).tensors.get('logits');
  if (logits === undefined) throw new Error(`${path} holds no logits`);
  const ids: number[][] = JSON.parse(await readFile(join(directory, 'input_ids.json'), 'utf8'));
  return { ids, logits: await readTensor(path, logits) };
}

const idTensor = (ids: readonly (readonly number[])[]) =>
  hostTensor(BigInt64Array.from(ids.flat(), BigInt), [ids.length, ids[0]?.length ?? 0]);

/** Our own logits for rows of equal length. */
export async function forward(checkpoint: Checkpoint, ids: readonly (readonly number[])[]): Promise<Float32Array> {
  const model = forwardGraph(checkpoint, { rows: ids.length, tokens: ids[0]?.length ?? 0 });
  const session = await openSession(model, { externalFolder: checkpoint.directory });
  try {
    return floatData(await session.run({ [forwardNames.tokens]: idTensor(ids) }), forwardNames.logits);
  } finally {
    await session.release();
  }
}

export function largestDifference(left: ArrayLike<number>, right: ArrayLike<number>): number {
  if (left.length !== right.length) return Number.POSITIVE_INFINITY;
  return Array.from(left).reduce(
    (largest, value, index) => Math.max(largest, Math.abs(value - (right[index] ?? NaN))),
    0,
  );
}
