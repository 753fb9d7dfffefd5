import { createHash } from 'node:crypto';
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { PreambleError, toError } from '../../errors.ts';
import { readGgufHeader } from '../../formats/gguf.ts';
import { ggufBytes, writeGguf } from '../../formats/gguf-write.ts';
import { convertGguf } from '../../model/convert/gguf-to-huggingface.ts';
import { sha256OfFile } from '../../model/obtain/file-digest.ts';
import { vocabularyDigest } from '../../model/tokenizer/vocabulary-digest.ts';
import { type GraftRequest, type GraftResult, sameGraft } from '../graft.ts';
import { type RestoreFile, readGraft, writeGraft } from '../graft-file.ts';
import type { HeadRecord } from '../head-record.ts';
import { measurePlan } from '../measure-plan.ts';
import { ORIGINALS, overwrittenRows } from '../originals.ts';
import { type GraftPlan, planGraft } from '../plan.ts';
import { recordGraft } from '../record.ts';
import { readRows } from '../rewrite-weights.ts';
import { assertDiskHolds, type Staging, whileLocked, withStaging } from '../staging.ts';
import { storedIn, withVirtualRows } from './changed-rows.ts';
import { type FilePlan, headerBytes, planFromCheckpoint, planFromFile } from './file-plan.ts';
import { GGUF_EMBEDDINGS, GGUF_HEAD } from './names.ts';

export const ggufTypes = ['f16', 'q8_0'] as const;
export type GgufType = (typeof ggufTypes)[number];

export interface GgufRequest extends GraftRequest {
  /** How matrices are held; null for F16, and for what a GGUF source has. */
  type: GgufType | null;
}

/**
 * Makes a GGUF file in which soft prompts are special tokens, of a Hugging Face directory or another GGUF file. The latter is converted beside `out`
 * first, to be held against the prompts and to be measured, and that conversion is deleted at the end.
 */
export async function graftGguf(request: GgufRequest): Promise<GraftResult> {
  const { source, out, onProgress } = request;
  if (!source.toLowerCase().endsWith('.gguf')) return await graftInto(request, source);
  const converted = await conversionOf(source, out);
  await whileLocked(converted, out, () => convertOnce(source, converted, onProgress));
  try {
    const result = await graftInto(request, converted);
    if (!request.dryRun) await rm(converted, { recursive: true, force: true });
    return result;
  } catch (error) {
    // what was refused will be refused again; what was interrupted goes on
    if (error instanceof PreambleError) await rm(converted, { recursive: true, force: true });
    throw error;
  }
}

/** `directory` is the source in Hugging Face form. */
async function graftInto(request: GgufRequest, directory: string): Promise<GraftResult> {
  const { source, out, onProgress = () => {} } = request;
  const isFile = directory !== source;
  const plan = await planGraft(directory, request.prompts);
  const file = isFile ? await planFromFile(source, plan) : await planFromCheckpoint(plan, request.type ?? 'f16');
  const noRow = new Float32Array(plan.checkpoint.config.hiddenSize);
  const bytes = withVirtualRows(file.entries, plan, noRow, file.types).reduce(
    (sum, { type, shape }) => sum + ggufBytes(type, shape),
    0,
  );
  const result = { plan, bytes, ignored: [] };
  const there = await sameGraft(out, plan, (written) => written.file === file.name);
  if (there !== null) return { ...result, graft: there, isNew: false };
  if (request.dryRun) {
    await assertDiskHolds(out, bytes);
    return { ...result, graft: null, isNew: true };
  }
  await withStaging(out, `${plan.key}-${file.types.embeddings.toLowerCase()}`, async (staging) => {
    await assertDiskHolds(out, bytes - (await staging.bytesThere()));
    const stored = {
      embeddings: (rows: Float32Array) => storedIn(rows, file.types.embeddings),
      head: (row: Float32Array) => storedIn(row, file.types.head),
    };
    const head = await measurePlan(plan, staging, stored, (share) => onProgress('measure', share * bytes, bytes));
    const writing = writeFileOf(file, plan, head, staging, (done) => onProgress('write', done, bytes));
    // reads the same bytes at about the same time, so the disk is asked once
    const keeping = isFile ? keepFile(source, plan, staging) : Promise.resolve(null);
    await Promise.allSettled([writing, keeping]);
    await writing;
    const restored = await keeping;
    const graft = recordGraft(plan, head, {
      result: { format: 'gguf', file: file.name, tokenizerSha256: digestWith(plan) },
      restore: restored === null ? null : { folder: ORIGINALS, files: [restored] },
    });
    await writeGraft(staging.directory, graft);
  });
  return { ...result, graft: await readGraft(out), isNew: true };
}

/** Where a GGUF file's conversion lies; the name says of which file it is, so that one that is there is whole and the right one. */
async function conversionOf(source: string, out: string): Promise<string> {
  const { size, mtimeMs } = await stat(source).catch((cause: unknown) => {
    throw new PreambleError('file_unreadable', `Cannot read ${source}: ${toError(cause).message}.`, {
      action: 'Check the path and its permissions.',
      cause,
    });
  });
  const mark = createHash('sha256')
    .update(`${resolve(source)} ${size} ${mtimeMs}`)
    .digest('hex')
    .slice(0, 12);
  return join(dirname(resolve(out)), `.${basename(out)}.${mark}.converted`);
}

/** The caller holds the lock, so that a conversion that is there unfinished is a killed run's: it begins anew. */
async function convertOnce(source: string, converted: string, onProgress: GraftRequest['onProgress']): Promise<void> {
  if ((await stat(converted).catch(() => null)) !== null) return;
  for (const name of await readdir(dirname(converted)).catch(() => [])) {
    const isLeft = name.startsWith(`${basename(converted)}.`) && name.endsWith('.partial');
    if (isLeft) await rm(join(dirname(converted), name), { recursive: true });
  }
  const { tensors } = await readGgufHeader(source);
  // bfloat16, whatever the file holds
  const values = [...tensors.values()].reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  await assertDiskHolds(converted, 2 * values);
  await convertGguf(source, converted, { onProgress: (done, total) => onProgress?.('convert', done, total) });
}

async function writeFileOf(
  { name, layout, entries, types }: FilePlan,
  plan: GraftPlan,
  head: HeadRecord,
  staging: Staging,
  onBytes: (done: number) => void,
): Promise<void> {
  let done = 0;
  const grafted = withVirtualRows(entries, plan, Float32Array.from(head.row), types).map((entry) => ({
    ...entry,
    async *bytes() {
      for await (const piece of entry.bytes()) {
        yield piece;
        done += piece.length;
        onBytes(done);
      }
    },
  }));
  await staging.file(name, (path) => writeGguf(path, layout, grafted));
}

/** What a GGUF file was: all in front of its tensors, and the rows that were overwritten. */
async function keepFile(source: string, plan: GraftPlan, staging: Staging): Promise<RestoreFile> {
  const name = basename(source);
  const header = await readGgufHeader(source);
  await staging.file(
    `${ORIGINALS}/${name}.header`,
    async (path) => await writeFile(path, await headerBytes(source, header)),
  );
  await staging.file(`${ORIGINALS}/${name}.rows`, async (path) => {
    const pieces: Uint8Array[] = [];
    for (const matrix of [GGUF_EMBEDDINGS, GGUF_HEAD]) {
      const tensor = header.tensors.get(matrix);
      if (tensor !== undefined)
        pieces.push(await readRows(source, tensor, overwrittenRows(tensor, plan.placement.ids)));
    }
    await writeFile(path, Buffer.concat(pieces));
  });
  return { kind: 'weights', name, size: (await stat(source)).size, sha256: await sha256OfFile(source) };
}

/** The digest that the tokenizer would have as a Hugging Face one, where ids without a token are not listed. */
function digestWith({ tokenizer, tokens, identity }: GraftPlan): string {
  const listed = new Map<number, string>();
  for (let id = 0; id < Math.max(identity.vocabSize, tokenizer.vocabSize); id++) {
    const spelling = tokenizer.tokenSpelling(id);
    if (spelling !== undefined) listed.set(id, spelling);
  }
  for (const { id, text } of tokens) listed.set(id, text);
  return vocabularyDigest(listed);
}
