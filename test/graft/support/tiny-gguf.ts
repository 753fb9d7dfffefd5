import { mkdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { dequantizerOf, isDequantizable } from '../../../src/formats/dequantize/dequantizers.ts';
import { metadataSpans } from '../../../src/formats/gguf/metadata-spans.ts';
import { type GgmlType, ggmlTypes } from '../../../src/formats/gguf/tensor-types.ts';
import { uint32 } from '../../../src/formats/gguf/write-metadata.ts';
import { readGgufHeader } from '../../../src/formats/gguf.ts';
import { type GgufEntry, writeGguf } from '../../../src/formats/gguf-write.ts';
import { isQuantizable, quantize } from '../../../src/formats/quantize/quantizers.ts';
import { headerBytes } from '../../../src/graft/gguf/file-plan.ts';
import { metadataFromCheckpoint, tokenList } from '../../../src/graft/gguf/metadata-from-checkpoint.ts';
import { tensorsFromCheckpoint } from '../../../src/graft/gguf/tensors-from-checkpoint.ts';
import { openCheckpoint } from '../../../src/model/checkpoint.ts';
import { loadTokenizer } from '../../../src/model/tokenizer/tokenizer.ts';
import { parseTokenizerJson, readJsonFile } from '../../../src/model/tokenizer/tokenizer-file.ts';

/** A tiny checkpoint as a GGUF file whose two matrices are of that type (zeros where we cannot write it), with a key that no reader knows. */
export async function writeTinyGguf(directory: string, path: string, type: GgmlType): Promise<void> {
  const checkpoint = await openCheckpoint(directory);
  const { specialTokens } = await loadTokenizer(directory);
  const json = parseTokenizerJson(await readJsonFile(directory, 'tokenizer.json'), join(directory, 'tokenizer.json'));
  const description = {
    id: 'tests/tiny',
    config: checkpoint.config,
    tokenizer: json,
    special: specialTokens,
    addsBos: false,
    template: null,
    type: 'f16',
  } as const;
  const fields = metadataFromCheckpoint(description, tokenList(json, checkpoint.config.vocabSize, new Map()));
  const double = Buffer.alloc(8);
  double.writeDoubleLE(0.1 + 0.2);
  const key = Buffer.from('tests.kept');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(key.length));
  await mkdir(dirname(path), { recursive: true });
  const entries = tensorsFromCheckpoint(checkpoint, 'F16').map((entry) =>
    entry.name === 'token_embd.weight' || entry.name === 'output.weight' ? inType(entry, type) : entry,
  );
  await writeGguf(path, { fields: [...fields, { raw: Buffer.concat([length, key, uint32(12), double]) }] }, entries);
}

/** The same file with all tensors as float32: what its quantised ones hold, as we read them. */
export async function writeFloatTwin(path: string, target: string): Promise<void> {
  const header = await readGgufHeader(path);
  const { version, fields } = metadataSpans(await headerBytes(path, header), basename(path));
  const file = await readFile(path);
  const entries = [...header.tensors].map(([name, { type, shape, offset, length }]): GgufEntry => {
    if (!isDequantizable(type)) throw new Error(`${type} cannot be read`);
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
    dequantizerOf(type).dequantize(file.subarray(offset, offset + length), values);
    return { name, type: 'F32', shape, bytes: () => [new Uint8Array(values.buffer)] };
  });
  await writeGguf(target, { version, fields: fields.map(({ bytes }) => ({ raw: bytes })) }, entries);
}

function inType(entry: GgufEntry, type: GgmlType): GgufEntry {
  return {
    ...entry,
    type,
    async *bytes() {
      for await (const piece of entry.bytes()) {
        const values = new Float32Array(piece.length / 2);
        dequantizerOf('F16').dequantize(piece, values);
        const { elements, bytes } = ggmlTypes[type];
        yield isQuantizable(type) ? quantize(values, type) : new Uint8Array((values.length / elements) * bytes);
      }
    },
  };
}
