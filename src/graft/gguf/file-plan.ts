import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PreambleError } from '../../errors.ts';
import { readExactly, withFile } from '../../formats/file-ranges.ts';
import { type GgufMetadata, readNumbers, readStrings } from '../../formats/gguf/metadata.ts';
import { metadataSpans } from '../../formats/gguf/metadata-spans.ts';
import type { GgufField } from '../../formats/gguf/write-metadata.ts';
import { type GgufHeader, readGgufHeader } from '../../formats/gguf.ts';
import type { GgufEntry, GgufLayout } from '../../formats/gguf-write.ts';
import { isQuantizable, type QuantizableType, quantizableTypes } from '../../formats/quantize/quantizers.ts';
import { parseTokenizerJson, readJsonFile, readTextFile } from '../../model/tokenizer/tokenizer-file.ts';
import type { GraftPlan } from '../plan.ts';
import { readPieces } from '../rewrite-weights.ts';
import { metadataFromCheckpoint, tokenList, tokenType } from './metadata-from-checkpoint.ts';
import { GGUF_EMBEDDINGS, GGUF_HEAD } from './names.ts';
import { tensorsFromCheckpoint } from './tensors-from-checkpoint.ts';

/** A GGUF file to be written; its tensors are still without virtual tokens. */
export interface FilePlan {
  /** The file's name. */
  readonly name: string;
  readonly layout: GgufLayout;
  readonly entries: readonly GgufEntry[];
  /** How both matrices hold their rows. */
  readonly types: { readonly embeddings: QuantizableType; readonly head: QuantizableType };
}

export async function planFromCheckpoint(plan: GraftPlan, type: 'f16' | 'q8_0'): Promise<FilePlan> {
  const { source, checkpoint, identity, placement, tokenizer, tokens } = plan;
  const json = parseTokenizerJson(await readJsonFile(source, 'tokenizer.json'), join(source, 'tokenizer.json'));
  const changed = new Map(tokens.map(({ id, text }) => [id, text]));
  const fields = metadataFromCheckpoint(
    {
      id: identity.id,
      config: checkpoint.config,
      tokenizer: json,
      special: tokenizer.specialTokens,
      addsBos: tokenizer.encode('', { addSpecialTokens: true }).length > 0,
      template: await templateText(source),
      type,
    },
    tokenList(json, placement.vocabSize, changed),
  );
  const held = type === 'f16' ? 'F16' : 'Q8_0';
  const entries = tensorsFromCheckpoint(checkpoint, held);
  const name = `${basename(identity.id).replace(/[^A-Za-z0-9._-]/g, '-')}-${type}.gguf`;
  return { name, layout: { fields }, entries, types: matrixTypes(entries, name) };
}

/** The same file with other tokens; all other keys and tensors stay byte for byte. */
export async function planFromFile(path: string, plan: GraftPlan): Promise<FilePlan> {
  const header = await readGgufHeader(path);
  const bytes = await headerBytes(path, header);
  const { version, fields } = metadataSpans(bytes, basename(path));
  const changed = changedFields(header.metadata, plan);
  const edited: GgufField[] = fields.map(({ key, bytes: raw }) => changed.get(key) ?? { raw });
  const entries = [...header.tensors].map(
    ([name, { type, shape, offset, length }]): GgufEntry => ({
      name,
      type,
      shape,
      bytes: () => readPieces(path, { offset, length }),
    }),
  );
  const alignment = header.metadata.get('general.alignment');
  return {
    name: basename(path),
    layout: { version, fields: edited, ...(typeof alignment === 'number' ? { alignment } : {}) },
    entries,
    types: matrixTypes(entries, basename(path)),
  };
}

/** The bytes in front of the first tensor. */
export async function headerBytes(path: string, { tensors }: GgufHeader): Promise<Uint8Array> {
  return await withFile(path, async (file, size) => {
    const bytes = new Uint8Array([...tensors.values()].reduce((least, { offset }) => Math.min(least, offset), size));
    await readExactly(file, bytes, 0);
    return bytes;
  });
}

function changedFields(metadata: GgufMetadata, { placement, tokens, checkpoint }: GraftPlan): Map<string, GgufField> {
  const rows = placement.vocabSize;
  const texts = [...(readStrings(metadata, 'tokenizer.ggml.tokens') ?? [])];
  const types = [...(readNumbers(metadata, 'tokenizer.ggml.token_type') ?? texts.map(() => tokenType.normal))];
  const scores = readNumbers(metadata, 'tokenizer.ggml.scores');
  for (let id = texts.length; id < rows; id++) {
    texts.push(`[PAD${id}]`);
    types.push(tokenType.unused);
  }
  for (const { id, text } of tokens) {
    texts[id] = text;
    types[id] = tokenType.control;
  }
  const changed = new Map<string, GgufField>();
  const set = (key: string, field: Omit<Extract<GgufField, { key: string }>, 'key'>) =>
    changed.set(key, { key, ...field });
  set('tokenizer.ggml.tokens', { kind: 'string', value: texts });
  set('tokenizer.ggml.token_type', { kind: 'int32', value: types });
  if (scores !== undefined) {
    set('tokenizer.ggml.scores', { kind: 'float32', value: texts.map((_, id) => scores[id] ?? 0) });
  }
  const { architecture } = checkpoint.config;
  set(`${architecture === 'mistral' ? 'llama' : architecture}.vocab_size`, { kind: 'uint32', value: rows });
  return changed;
}

function matrixTypes(entries: readonly GgufEntry[], file: string): FilePlan['types'] {
  const typeOf = (name: string) => entries.find((entry) => entry.name === name)?.type;
  const embeddings = typeOf(GGUF_EMBEDDINGS) ?? '';
  const head = typeOf(GGUF_HEAD) ?? embeddings;
  if (isQuantizable(embeddings) && isQuantizable(head)) return { embeddings, head };
  const other = isQuantizable(embeddings) ? `output matrix is ${head}` : `embeddings are ${embeddings}`;
  throw new PreambleError('model_unsupported', `The ${other} in ${file}, in which no new rows can be written.`, {
    action: `Quantise it with --token-embedding-type and --output-tensor-type one of ${quantizableTypes.join(', ')}.`,
  });
}

async function templateText(source: string): Promise<string | null> {
  const own = await readTextFile(source, 'chat_template.jinja');
  if (own !== undefined) return own;
  const config: { chat_template?: unknown } = JSON.parse(
    await readFile(join(source, 'tokenizer_config.json'), 'utf8').catch(() => '{}'),
  );
  return typeof config.chat_template === 'string' ? config.chat_template : null;
}
