import { basename } from 'node:path';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import {
  readSafetensorsHeader,
  readTensor,
  type SafetensorsHeader,
  writeSafetensors,
} from '../../formats/safetensors.ts';
import { invalid } from '../../formats/safetensors-header.ts';
import type { Directions, Probe } from './directions.ts';
import { completeBasis } from './orthonormal-basis.ts';

/** Raised whenever the same file would be read differently. */
const FORMAT = 'preamble.directions/1';
const METADATA_KEY = 'preamble';
const MEAN = 'mean';
const COMPONENTS = 'components';

const numbers = Type.Array(Type.Number());
const share = Type.Number({ minimum: 0, maximum: 1 });
const probeSchema = Type.Object({
  weights: numbers,
  bias: Type.Number(),
  accuracy: share,
  accuracyInterval: Type.Tuple([share, share]),
});
const recordSchema = Type.Object({
  format: Type.Literal(FORMAT),
  source: Type.String(),
  explainedVariance: numbers,
  refusal: probeSchema,
  harmfulness: probeSchema,
  cosine: Type.Number(),
});
const checker = Compile(recordSchema);

export interface StoredDirections {
  directions: Directions;
  /** What they were made of, as whoever saved them named it: the digests of anchors and settings. */
  source: string;
}

/**
 * One safetensors file, whole or not there at all: tensors `mean` [hiddenSize] and `components` [components, hiddenSize] float32, all else as JSON
 * in its metadata. The rest of the basis is not kept: it follows from the components and takes 64 MB at a hidden size of 4096.
 * Throws `file_unwritable`.
 */
export async function saveDirections(path: string, directions: Directions, source: string): Promise<void> {
  const { hiddenSize, components, mean, basis, explainedVariance, refusal, harmfulness, cosine } = directions;
  const record: Static<typeof recordSchema> = {
    format: FORMAT,
    source,
    explainedVariance: [...explainedVariance],
    refusal: toRecord(refusal),
    harmfulness: toRecord(harmfulness),
    cosine,
  };
  const tensor = (name: string, shape: number[], values: Float32Array) => ({
    name,
    dtype: 'F32' as const,
    shape,
    bytes: () => [new Uint8Array(values.buffer, values.byteOffset, values.byteLength)],
  });
  await writeSafetensors(
    path,
    [
      tensor(MEAN, [hiddenSize], mean),
      tensor(COMPONENTS, [components, hiddenSize], basis.subarray(0, components * hiddenSize)),
    ],
    { [METADATA_KEY]: JSON.stringify(record) },
  );
}

/** Reads what `saveDirections` wrote. Throws `file_unreadable`, `format_invalid`. */
export async function loadDirections(path: string): Promise<StoredDirections> {
  const header = await readSafetensorsHeader(path);
  const name = basename(path);
  const record = recordOf(header, name);
  const [mean, rows] = [header.tensors.get(MEAN), header.tensors.get(COMPONENTS)];
  const [components = 0, hiddenSize = 0] = rows?.shape ?? [];
  if (
    mean === undefined ||
    rows === undefined ||
    rows.shape.length !== 2 ||
    mean.shape.join() !== `${hiddenSize}` ||
    components > hiddenSize ||
    ![record.explainedVariance, record.refusal.weights, record.harmfulness.weights].every(
      ({ length }) => length === components,
    )
  ) {
    throw invalid(name, 'its tensors and probes do not belong together');
  }
  const [meanValues, values] = [await readTensor(path, mean), await readTensor(path, rows)];
  if (![...meanValues, ...values].every(Number.isFinite)) throw invalid(name, 'it holds values that are no numbers');
  const known = Array.from({ length: components }, (_, index) =>
    Float64Array.from(values.subarray(index * hiddenSize, (index + 1) * hiddenSize)),
  );
  const directions: Directions = {
    hiddenSize,
    components,
    mean: meanValues,
    basis: completeBasis(known, hiddenSize),
    explainedVariance: Float64Array.from(record.explainedVariance),
    refusal: toProbe(record.refusal),
    harmfulness: toProbe(record.harmfulness),
    cosine: record.cosine,
  };
  return { directions, source: record.source };
}

function recordOf({ metadata }: SafetensorsHeader, name: string): Static<typeof recordSchema> {
  const what = `its metadata ${METADATA_KEY} is no ${FORMAT}`;
  let record: unknown;
  try {
    record = JSON.parse(metadata[METADATA_KEY] ?? 'null');
  } catch (error) {
    throw invalid(name, what, error);
  }
  if (!checker.Check(record)) throw invalid(name, what);
  return record;
}

function toRecord({ weights, bias, accuracy, accuracyInterval: [low, high] }: Probe): Static<typeof probeSchema> {
  return { weights: [...weights], bias, accuracy, accuracyInterval: [low, high] };
}

function toProbe({ weights, ...rest }: Static<typeof probeSchema>): Probe {
  return { weights: Float64Array.from(weights), ...rest };
}
