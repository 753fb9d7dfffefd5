import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { PreambleError } from '../errors.ts';
import { sha256OfFile } from './obtain/file-digest.ts';
import { systemCode } from './obtain/file-errors.ts';

export const PROVENANCE_FILE = 'preamble-model.json';
/** A file of a few hundred entries; more is not ours. */
const MAX_PROVENANCE_BYTES = 2 ** 20;

/** Names lie directly in the model's directory: no path may lead out of it. */
const fileName = Type.String({ pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$' });
const sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });

const modelFileSchema = Type.Object({ name: fileName, size: Type.Integer({ minimum: 0 }), sha256 });

const sourceSchema = Type.Union([
  Type.Object({ kind: Type.Literal('hub'), repository: Type.String(), revision: Type.String() }),
  Type.Object({
    kind: Type.Literal('wheel'),
    package: Type.String(),
    version: Type.String(),
    member: Type.String(),
    sha256,
  }),
  Type.Object({ kind: Type.Literal('gguf'), file: Type.String(), sha256 }),
  /** Used where it lies: the files are at `path`, not beside this record. */
  Type.Object({ kind: Type.Literal('directory'), path: Type.String() }),
]);

const provenanceSchema = Type.Object({
  format: Type.Literal('preamble.model/1'),
  /** Hub id where it has one (`HuggingFaceTB/SmolLM2-135M-Instruct`). */
  id: Type.String({ minLength: 1, maxLength: 200 }),
  source: sourceSchema,
  files: Type.Array(modelFileSchema, { minItems: 1, maxItems: 1000 }),
  /** SHA-256 of the bytes of `model.embed_tokens.weight` as stored. */
  embeddingsSha256: sha256,
  /** ISO 8601, UTC. */
  obtained: Type.String(),
});

export type ModelFile = Static<typeof modelFileSchema>;
export type ProvenanceSource = Static<typeof sourceSchema>;
export type Provenance = Static<typeof provenanceSchema>;

const checker = Compile(provenanceSchema);

export interface FileProblem {
  name: string;
  problem: 'missing' | 'wrong size' | 'wrong digest';
}

/** Parses the text of a `preamble-model.json`. Throws `format_invalid`. */
export function parseProvenance(text: string, path: string): Provenance {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw invalidProvenance(path, 'it is not JSON', error);
  }
  if (!checker.Check(parsed)) {
    const [first] = checker.Errors(parsed);
    throw invalidProvenance(
      path,
      first === undefined ? 'its fields are wrong' : `${first.instancePath || '/'} ${first.message}`,
    );
  }
  if (new Set(parsed.files.map((file) => file.name)).size !== parsed.files.length) {
    throw invalidProvenance(path, 'a file is listed twice');
  }
  return parsed;
}

/** The record in a model's directory, null where there is none. Throws `format_invalid`, `file_unreadable`. */
export async function readProvenance(directory: string): Promise<Provenance | null> {
  const path = join(directory, PROVENANCE_FILE);
  let text: string;
  try {
    if ((await stat(path)).size > MAX_PROVENANCE_BYTES) throw invalidProvenance(path, 'it is larger than 1 MiB');
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof PreambleError) throw error;
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new PreambleError('file_unreadable', `Cannot read ${path} (${code}).`, {
      action: 'Check its permissions.',
      cause: error,
    });
  }
  return parseProvenance(text, path);
}

/** Writes the record and has it on the disk before it returns. Throws the system's error. */
export async function writeProvenance(directory: string, provenance: Provenance): Promise<void> {
  await using file = await open(join(directory, PROVENANCE_FILE), 'w');
  await file.writeFile(`${JSON.stringify(provenance, null, 2)}\n`);
  await file.sync();
}

/** Where the files of a recorded model lie. */
export function modelDirectory(recordDirectory: string, provenance: Provenance): string {
  return provenance.source.kind === 'directory' ? provenance.source.path : recordDirectory;
}

/** A quick look: every recorded file is there with its size. Reads no content. */
export async function checkSizes(directory: string, files: readonly ModelFile[]): Promise<FileProblem[]> {
  const problems: FileProblem[] = [];
  for (const { name, size } of files) {
    const stats = await stat(join(directory, name)).catch(() => null);
    if (stats === null || !stats.isFile()) problems.push({ name, problem: 'missing' });
    else if (stats.size !== size) problems.push({ name, problem: 'wrong size' });
  }
  return problems;
}

/** Reads every recorded file again and compares its SHA-256. `onProgress` counts bytes over all files. */
export async function verifyFiles(
  directory: string,
  files: readonly ModelFile[],
  options: { onProgress?: (done: number, total: number) => void; signal?: AbortSignal | undefined } = {},
): Promise<FileProblem[]> {
  const problems = await checkSizes(directory, files);
  const bad = new Set(problems.map((problem) => problem.name));
  const readable = files.filter((file) => !bad.has(file.name));
  const total = readable.reduce((sum, file) => sum + file.size, 0);
  let before = 0;
  for (const file of readable) {
    const digest = await sha256OfFile(join(directory, file.name), {
      signal: options.signal,
      onProgress: (done) => options.onProgress?.(before + done, total),
    });
    before += file.size;
    if (digest !== file.sha256) problems.push({ name: file.name, problem: 'wrong digest' });
  }
  return problems;
}

function invalidProvenance(path: string, what: string, cause?: unknown): PreambleError {
  return new PreambleError('format_invalid', `${path} is not a valid model record: ${what}.`, {
    action: 'Remove the model and add it again (preamble model remove, preamble model add).',
    cause,
  });
}
