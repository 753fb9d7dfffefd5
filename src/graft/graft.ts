import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PreambleError } from '../errors.ts';
import type { PromptVersion } from '../prompts/registry.ts';
import { roundTo } from './encode-rows.ts';
import { planDirectory, writeDirectory } from './graft-directory.ts';
import { GRAFT_FILE, type Graft, readGraft } from './graft-file.ts';
import { measurePlan } from './measure-plan.ts';
import { type GraftPlan, planGraft } from './plan.ts';
import type { CopyMode } from './source-files.ts';
import { assertDiskHolds, withStaging } from './staging.ts';

export interface GraftRequest {
  /** A Hugging Face directory. It is only read. */
  source: string;
  prompts: readonly PromptVersion[];
  out: string;
  copy: CopyMode;
  /** Plans and checks, writes nothing. */
  dryRun: boolean;
  onProgress?: (step: 'convert' | 'measure' | 'write', done: number, total: number) => void;
}

export interface GraftResult {
  plan: GraftPlan;
  /** Bytes to be written, hard links aside. */
  bytes: number;
  /** Names of files that are neither taken along nor kept. */
  ignored: readonly string[];
  /** Null after a dry run. */
  graft: Graft | null;
  /** False where the same graft was there already. */
  isNew: boolean;
}

/** Makes a checkpoint in which soft prompts are special tokens. Throws what planning, measuring and writing throw. */
export async function graftModel(request: GraftRequest): Promise<GraftResult> {
  const { source, out, copy, onProgress = () => {} } = request;
  const plan = await planGraft(source, request.prompts);
  const directory = await planDirectory(plan, copy);
  const result = { plan, bytes: directory.bytes, ignored: directory.files.ignored };
  const there = await sameGraft(out, plan, ({ format }) => format === 'hf');
  if (there !== null) return { ...result, graft: there, isNew: false };
  if (request.dryRun) {
    await assertDiskHolds(out, directory.bytes);
    return { ...result, graft: null, isNew: true };
  }
  await withStaging(out, `${plan.key}-${copy}`, async (staging) => {
    await assertDiskHolds(out, directory.bytes - (await staging.bytesThere()));
    const { weightBytes } = directory;
    const stored = (rows: Float32Array) => rows.map((value) => roundTo(value, plan.dtype));
    const head = await measurePlan(plan, staging, { embeddings: stored, head: stored }, (share) =>
      onProgress('measure', share * weightBytes, weightBytes),
    );
    let done = 0;
    await writeDirectory(directory, head, staging, copy, (bytes) => {
      done += bytes;
      onProgress('write', done, weightBytes);
    });
    onProgress('write', weightBytes, weightBytes);
  });
  return { ...result, graft: await readGraft(out), isNew: true };
}

/** The graft that stands at `out` if it is the one that is planned; null where nothing stands. Throws `file_unwritable` for another. */
export async function sameGraft(
  out: string,
  { identity, prompts }: GraftPlan,
  isWanted: (result: Graft['result']) => boolean,
): Promise<Graft | null> {
  if ((await stat(join(out, GRAFT_FILE)).catch(() => null)) === null) {
    if ((await readdir(out).catch(() => [])).length === 0) return null;
    throw new PreambleError('file_unwritable', `${out} is not empty.`, { action: 'Name a new directory with --out.' });
  }
  const graft = await readGraft(out);
  const digests = (list: readonly { digest: string }[]) => list.map(({ digest }) => digest).join();
  const isSame =
    isWanted(graft.result) &&
    graft.source.embeddingsSha256 === identity.embeddingsSha256 &&
    graft.source.tokenizerSha256 === identity.tokenizerSha256 &&
    digests(graft.prompts) === digests(prompts);
  if (isSame) return graft;
  const has = graft.prompts.map(({ name, version }) => `${name}@${version}`).join(', ');
  throw new PreambleError('file_unwritable', `${out} is another graft already, of ${has}.`, {
    action: 'Name a new directory with --out, or remove that one.',
  });
}
