import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { PreambleError, toError } from '../../errors.ts';
import { readSafetensorsHeader, readTensor, writeSafetensors } from '../../formats/safetensors.ts';
import { writingTo } from '../../model/obtain/file-errors.ts';
import type { NamedPrompt } from '../answers/prompt-under-test.ts';
import type { Query } from '../queries/query.ts';

/** What the model makes of every query under one prompt. */
export interface AnchorSet {
  readonly prompt: NamedPrompt;
  /** `[queries, hiddenSize]` float32, row-major: the final-layer state after the norm at the last input token. */
  readonly states: Float32Array;
  /** `[queries]`: which part of the sampled answers refused. */
  readonly refusalFractions: Float32Array;
}

export interface AnchorData {
  readonly queries: readonly Query[];
  readonly hiddenSize: number;
  readonly sets: readonly AnchorSet[];
}

/** What the answers were drawn with, as it stands beside the data. */
export type AnchorOrigin = Static<typeof originSchema>;

export const ANCHORS_FILE = 'anchors.json';
export const ANCHORS_TENSORS = 'anchors.safetensors';
const FORMAT = 'preamble.anchors/1';

const label = Type.String({ minLength: 1 });
const nullable = <S extends Type.TSchema>(schema: S) => Type.Union([schema, Type.Null()]);
const sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });

const originSchema = Type.Object({
  model: label,
  embeddingsSha256: sha256,
  answersFrom: label,
  samples: Type.Integer({ minimum: 1 }),
  temperature: Type.Number(),
  topP: Type.Number(),
  maxTokens: Type.Integer(),
  seed: Type.Integer(),
  detector: label,
});

const querySchema = Type.Object({
  id: label,
  text: label,
  label: Type.Union([Type.Literal('harmful'), Type.Literal('harmless')]),
  category: nullable(Type.String()),
  form: Type.Union([Type.Literal('question'), Type.Literal('imperative')]),
  twin: nullable(Type.String()),
  line: Type.Integer(),
});

const fileSchema = Type.Object({
  format: Type.Literal(FORMAT),
  hiddenSize: Type.Integer({ minimum: 1 }),
  origin: originSchema,
  /** In the order of the tensors `states.0`, `refusals.0`, `states.1`, … */
  sets: Type.Array(Type.Object({ label, digest: sha256 })),
  queries: Type.Array(querySchema),
});

const checker = Compile(fileSchema);

/** Writes both files into `directory`, each in one step. Throws `file_unwritable`. */
export async function writeAnchorData(directory: string, data: AnchorData, origin: AnchorOrigin): Promise<void> {
  const { queries, hiddenSize, sets } = data;
  const file: Static<typeof fileSchema> = {
    format: FORMAT,
    hiddenSize,
    origin,
    sets: sets.map(({ prompt }) => ({ label: prompt.label, digest: prompt.digest })),
    queries: queries.map((query) => ({ ...query })),
  };
  const tensors = sets.flatMap((set, index) => [
    tensor(`states.${index}`, [queries.length, hiddenSize], set.states),
    tensor(`refusals.${index}`, [queries.length], set.refusalFractions),
  ]);
  await writingTo(directory, async () => {
    await mkdir(directory, { recursive: true });
    await writeSafetensors(join(directory, ANCHORS_TENSORS), tensors);
    const path = join(directory, ANCHORS_FILE);
    const partial = `${path}.${process.pid}.partial`;
    try {
      await writeFile(partial, `${JSON.stringify(file, null, 1)}\n`);
      await rename(partial, path);
    } finally {
      await rm(partial, { force: true });
    }
  });
}

function tensor(name: string, shape: readonly number[], values: Float32Array) {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name, dtype: 'F32', shape, bytes: () => [bytes] } as const;
}

/** What `writeAnchorData` wrote. Throws `file_unreadable`, `format_invalid`. */
export async function readAnchorData(directory: string): Promise<AnchorData & { origin: AnchorOrigin }> {
  const file = await readDescription(join(directory, ANCHORS_FILE));
  const path = join(directory, ANCHORS_TENSORS);
  const { tensors } = await readSafetensorsHeader(path);
  const read = async (name: string, shape: readonly number[]) => {
    const location = tensors.get(name);
    if (location === undefined || location.shape.join() !== shape.join()) {
      throw unusable(path, `it holds no ${name} of [${shape.join(', ')}]`);
    }
    return await readTensor(path, location);
  };
  const { hiddenSize, queries, origin } = file;
  const sets: AnchorSet[] = [];
  for (const [index, prompt] of file.sets.entries()) {
    sets.push({
      prompt,
      states: await read(`states.${index}`, [queries.length, hiddenSize]),
      refusalFractions: await read(`refusals.${index}`, [queries.length]),
    });
  }
  return { queries, hiddenSize, sets, origin };
}

async function readDescription(path: string): Promise<Static<typeof fileSchema>> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw unusable(path, 'it is not JSON');
    throw new PreambleError('file_unreadable', `Cannot read ${path}: ${toError(error).message}.`, {
      action: 'Give a folder that `preamble anchors --out` wrote.',
      cause: error,
    });
  }
  if (!checker.Check(value)) throw unusable(path, `it is no description of anchors (${FORMAT})`);
  return value;
}

function unusable(path: string, why: string): PreambleError {
  return new PreambleError('format_invalid', `The anchors in ${path} cannot be used: ${why}.`, {
    action: 'Make them again: preamble anchors.',
  });
}
