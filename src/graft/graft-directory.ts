import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSafetensorsHeader } from '../formats/safetensors.ts';
import { EMBEDDINGS_TENSOR, embeddingsDigestIn } from '../model/embeddings-digest.ts';
import { sha256OfFile } from '../model/obtain/file-digest.ts';
import { loadTokenizer } from '../model/tokenizer/tokenizer.ts';
import { type RestoreFile, writeGraft } from './graft-file.ts';
import type { HeadRecord } from './head-record.ts';
import { keepOriginal, ORIGINALS } from './originals.ts';
import type { GraftPlan } from './plan.ts';
import { recordGraft } from './record.ts';
import { addedBytes, rewriteWeights, type WeightChanges } from './rewrite-weights.ts';
import { someAtOnce } from './some-at-once.ts';
import { type CopyMode, type SourceFiles, sortFiles, takeFile } from './source-files.ts';
import type { Staging } from './staging.ts';
import {
  graftAddedTokens,
  graftConfig,
  graftGenerationConfig,
  graftIndex,
  graftTokenizer,
  graftTokenizerConfig,
} from './text-files.ts';
import { changedTensors, weightChanges } from './weight-changes.ts';

/** One is hashed, one copied, and one on its way to the disk: the processor, the memory and the disk all have work. */
const FILES_AT_ONCE = 3;

/** A Hugging Face directory to be written, file by file. */
export interface DirectoryPlan {
  readonly graft: GraftPlan;
  readonly files: SourceFiles;
  /** Bytes to write, hard links aside. */
  readonly bytes: number;
  /** Bytes of weights among them. */
  readonly weightBytes: number;
}

export async function planDirectory(graft: GraftPlan, copy: CopyMode): Promise<DirectoryPlan> {
  const { source, checkpoint, placement } = graft;
  const shards = new Set([...checkpoint.tensors.values()].map(({ file }) => file));
  const changed = new Set(changedTensors(graft).map(({ tensor }) => tensor.file));
  const files = await sortFiles(source, shards, changed);
  const size = async (name: string) => (await stat(join(source, name))).size;
  let weightBytes = 0;
  const noRow = new Float32Array(checkpoint.config.hiddenSize);
  for (const name of files.weights) {
    const { tensors } = await readSafetensorsHeader(join(source, name));
    weightBytes += (await size(name)) + addedBytes(tensors, weightChanges(graft, name, noRow));
  }
  let bytes = weightBytes + placement.ids.length * checkpoint.config.hiddenSize * 8;
  // written anew, and kept as they were
  for (const name of [...files.edited, ...files.withheld]) bytes += 2 * (await size(name));
  if (copy === 'copy') for (const name of files.unchanged) bytes += await size(name);
  return { graft, files, bytes, weightBytes };
}

/** Writes the grafted checkpoint into its staging directory. `onBytes` counts bytes of weights. */
export async function writeDirectory(
  { graft, files }: DirectoryPlan,
  head: HeadRecord,
  staging: Staging,
  copy: CopyMode,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const { source, checkpoint } = graft;
  const embeddingsFile = checkpoint.tensor(EMBEDDINGS_TENSOR).file;
  let moreBytes = 0;
  const take = async (name: string): Promise<RestoreFile> => {
    await staging.file(name, (path) => takeFile(join(source, name), path, copy));
    return { kind: 'unchanged', name, size: (await stat(join(source, name))).size };
  };
  const rewrite = async (name: string): Promise<RestoreFile> => {
    const changes = weightChanges(graft, name, Float32Array.from(head.row));
    const { tensors } = await readSafetensorsHeader(join(source, name));
    moreBytes += addedBytes(tensors, changes);
    const kept = await graftWeights(source, name, changes, staging, onBytes);
    if (name === embeddingsFile) await embeddingsOf(name, staging);
    return kept;
  };
  // what takes longest first
  const works = [
    ...files.weights.map((name) => () => rewrite(name)),
    ...files.unchanged.map((name) => () => take(name)),
  ];
  const restored = await someAtOnce(works, FILES_AT_ONCE, async (work) => await work());
  const texts = await editedTexts(graft, files, moreBytes);
  for (const [name, bytes] of texts) await staging.file(name, (path) => writeFile(path, bytes));
  for (const name of [...files.edited, ...files.withheld]) restored.push(await keepOriginal(source, name, staging));
  const record = recordGraft(graft, head, {
    result: {
      format: 'hf',
      embeddingsSha256: await embeddingsOf(embeddingsFile, staging),
      tokenizerSha256: (await loadTokenizer(staging.directory)).vocabularyDigest,
    },
    restore: { folder: ORIGINALS, files: restored },
  });
  await writeGraft(staging.directory, record);
}

/** The digest of the matrix as it was written, noted: it is found while other files are copied. */
async function embeddingsOf(file: string, staging: Staging): Promise<string> {
  return await staging.remembered('embeddings.sha256', isText, () => embeddingsDigestIn(staging.directory, file));
}

async function graftWeights(
  source: string,
  name: string,
  changes: WeightChanges,
  staging: Staging,
  onBytes: (bytes: number) => void,
): Promise<RestoreFile> {
  const path = join(source, name);
  // both read the same bytes at about the same time, so the disk is asked once
  const digest = staging.remembered(`${name}.sha256`, isText, () => sha256OfFile(path));
  const writing = staging.file(name, (target) => rewriteWeights(path, target, changes, onBytes));
  await Promise.allSettled([digest, writing]);
  await writing;
  return await keepOriginal(source, name, staging, { changes, sha256: await digest });
}

const isText = (value: unknown): value is string => typeof value === 'string';

async function editedTexts(graft: GraftPlan, { edited }: SourceFiles, moreBytes: number): Promise<Map<string, Buffer>> {
  const { source, tokens, placement, checkpoint } = graft;
  const texts = new Map<string, Buffer>();
  for (const name of edited) texts.set(name, await readFile(join(source, name)));
  const config = texts.get('config.json') ?? Buffer.from('{}');
  const untied = checkpoint.config.tiedEmbeddings;
  const headFile = untied ? checkpoint.tensor(EMBEDDINGS_TENSOR).file : null;
  const edit = (name: string, change: (text: Buffer) => Buffer) => {
    const text = texts.get(name);
    if (text !== undefined) texts.set(name, change(text));
  };
  texts.set(
    'generation_config.json',
    graftGenerationConfig(texts.get('generation_config.json') ?? null, config, placement.ids),
  );
  edit('config.json', (text) => graftConfig(text, placement.vocabSize, untied));
  edit('tokenizer.json', (text) => graftTokenizer(text, tokens, placement));
  edit('tokenizer_config.json', (text) => graftTokenizerConfig(text, tokens));
  edit('added_tokens.json', (text) => graftAddedTokens(text, tokens, placement));
  edit('model.safetensors.index.json', (text) => graftIndex(text, moreBytes, headFile));
  return texts;
}
