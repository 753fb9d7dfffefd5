import { open } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { PreambleError } from '../errors.ts';
import { readExactly, withFile } from '../formats/file-ranges.ts';
import { parseUniqueJson } from '../formats/unique-json.ts';
import { promptNamePattern } from '../prompts/name.ts';
import { virtualTokenPattern } from './virtual-token.ts';

export const GRAFT_FILE = 'preamble-graft.json';
export const GRAFT_FORMAT = 'preamble.graft/1';
/** 4,096 virtual tokens, 80 bytes each, for each of some 20 prompts, twice. */
const MAX_GRAFT_BYTES = 16 * 2 ** 20;
const MAX_DIMENSION = 2 ** 24;
const MAX_ENTRIES = 100_000;

const closed = { additionalProperties: false };
const sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });
const shortText = Type.String({ minLength: 1, maxLength: 200 });
const dimension = Type.Integer({ minimum: 1, maximum: MAX_DIMENSION });
const index = Type.Integer({ minimum: 0, maximum: MAX_DIMENSION });
const time = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(?:\\.\\d{1,9})?Z$' });
/** A file of the directory itself, or of the folder for what was changed: no path leads out. */
const fileName = Type.String({ pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$' });

/** The checkpoint before: what its prompts are bound to. */
const sourceSchema = Type.Object(
  {
    modelId: shortText,
    architecture: shortText,
    hiddenSize: dimension,
    /** Rows of the embedding matrix. */
    vocabSize: dimension,
    /** Of the bytes of `model.embed_tokens.weight` as stored. */
    embeddingsSha256: sha256,
    /** The tokenizer's `vocabularyDigest`. */
    tokenizerSha256: sha256,
  },
  closed,
);

/** The checkpoint that was written, and that a server must serve. */
const resultSchema = Type.Object(
  {
    format: Type.Union([Type.Literal('hf'), Type.Literal('gguf')]),
    /** The GGUF file's name; absent for a Hugging Face directory. */
    file: Type.Optional(fileName),
    vocabSize: dimension,
    /** Absent for GGUF, which stores the matrix in its own way. */
    embeddingsSha256: Type.Optional(sha256),
    tokenizerSha256: sha256,
    /** Whether the output matrix was written for the first time: the source used its embeddings as that. */
    untied: Type.Boolean(),
  },
  closed,
);

const tokenSchema = Type.Object(
  {
    /** Token id, which is the row of the embedding matrix. */
    id: index,
    /** The special token as it is spelled in a text. */
    text: Type.String({ pattern: virtualTokenPattern }),
    /** Row of the soft prompt. */
    row: index,
  },
  closed,
);

const promptSchema = Type.Object(
  {
    name: Type.String({ pattern: promptNamePattern }),
    version: shortText,
    /** Of the prompt's manifest: the version's identity. */
    digest: sha256,
    position: Type.Union([Type.Literal('system'), Type.Literal('user')]),
    /** One for each row, in order. */
    tokens: Type.Array(tokenSchema, { minItems: 1, maxItems: MAX_ENTRIES }),
    /** All tokens' texts joined: what stands for the soft prompt in a message. */
    spelled: Type.String({ minLength: 1 }),
  },
  closed,
);

/** How the output rows of virtual tokens were made, so that no state chooses one. */
const headSchema = Type.Object(
  {
    /** Each row is -scale times one unit vector that all states lean towards. */
    rule: Type.Literal('opposed'),
    /** What the vector was solved from: states were regressed on a constant. */
    direction: shortText,
    /** Length of each row. */
    scale: Type.Number({ exclusiveMinimum: 0 }),
    /** Rows written: the virtual tokens', and those that only fill up. */
    rows: dimension,
  },
  closed,
);

/** Lowest logit of a real token less the highest of a virtual one, at the position where that is least. Logits, natural units. */
const marginSchema = Type.Object(
  {
    worst: Type.Number({ exclusiveMinimum: 0 }),
    positions: Type.Integer({ minimum: 1 }),
    /** Where the states came from; `prompt` is null for those under none. */
    states: Type.Array(
      Type.Object(
        { prompt: Type.Union([Type.Null(), shortText]), positions: Type.Integer({ minimum: 1 }), worst: Type.Number() },
        closed,
      ),
      { minItems: 1, maxItems: MAX_ENTRIES },
    ),
    queries: Type.Array(Type.Object({ file: shortText, sha256, queries: dimension }, closed), {
      maxItems: MAX_ENTRIES,
    }),
  },
  closed,
);

/** What gives the source back, bit for bit; the folder lies beside this file. */
const restoreSchema = Type.Object(
  {
    folder: fileName,
    files: Type.Array(
      Type.Union([
        /** As it was: it is in the graft itself. */
        Type.Object({ kind: Type.Literal('unchanged'), name: fileName, size: Type.Integer({ minimum: 0 }) }, closed),
        /** Changed or left out: the folder holds the original. */
        Type.Object({ kind: Type.Literal('kept'), name: fileName, size: Type.Integer({ minimum: 0 }), sha256 }, closed),
        /** Weights: the folder holds what stood before the tensors, `<name>.header`, and each row that was overwritten, `<name>.rows`. */
        Type.Object(
          { kind: Type.Literal('weights'), name: fileName, size: Type.Integer({ minimum: 0 }), sha256 },
          closed,
        ),
      ]),
      { minItems: 1, maxItems: MAX_ENTRIES },
    ),
  },
  closed,
);

const graftSchema = Type.Object(
  {
    format: Type.Literal(GRAFT_FORMAT),
    /** Name and version of what wrote it. */
    tool: shortText,
    created: time,
    source: sourceSchema,
    result: resultSchema,
    prompts: Type.Array(promptSchema, { minItems: 1, maxItems: 1000 }),
    head: headSchema,
    margin: marginSchema,
    /** Null where the format was changed too: then the source is still the only original. */
    restore: Type.Union([Type.Null(), restoreSchema]),
  },
  closed,
);

export type Graft = Static<typeof graftSchema>;
export type GraftedPrompt = Static<typeof promptSchema>;
export type RestoreFile = Static<typeof restoreSchema>['files'][number];

const checker = Compile(graftSchema);

/** Parses the text of a `preamble-graft.json`; `path` is named in errors. Throws `format_invalid`. */
function parseGraft(text: string, path: string): Graft {
  const parsed = parseUniqueJson(text, (what, cause) => invalidGraft(path, what, cause));
  return checkGraft(parsed, path);
}

/** Throws `format_invalid`. */
export function checkGraft(graft: unknown, path: string): Graft {
  if (!checker.Check(graft)) {
    const [first] = checker.Errors(graft);
    throw invalidGraft(
      path,
      first === undefined ? 'its fields are wrong' : `${first.instancePath || '/'} ${first.message}`,
    );
  }
  const fault = findFault(graft);
  if (fault !== null) throw invalidGraft(path, fault);
  return graft;
}

/** The record in a grafted directory, or at that path itself. Throws `file_unreadable`, `format_invalid`. */
export async function readGraft(directoryOrFile: string): Promise<Graft> {
  const path = directoryOrFile.endsWith('.json') ? directoryOrFile : join(directoryOrFile, GRAFT_FILE);
  const text = await withFile(path, async (file, size) => {
    if (size > MAX_GRAFT_BYTES) throw invalidGraft(path, `it has ${size} bytes, the most is ${MAX_GRAFT_BYTES}`);
    const bytes = new Uint8Array(size);
    if (!(await readExactly(file, bytes, 0))) throw invalidGraft(path, 'it ended while being read');
    return decode(bytes, path);
  });
  return parseGraft(text, path);
}

/** Writes the record and has it on the disk before it returns. Throws the system's error. */
export async function writeGraft(directory: string, graft: Graft): Promise<void> {
  const path = join(directory, GRAFT_FILE);
  await using file = await open(path, 'w');
  await file.writeFile(`${JSON.stringify(checkGraft(graft, path), null, 1)}\n`);
  await file.sync();
}

/** What the types cannot say: ids and texts are one to one, rows are counted, the spelling is the tokens'. */
function findFault({ prompts, result }: Graft): string | null {
  const ids = new Set<number>();
  const texts = new Set<string>();
  for (const { name, version, tokens, spelled } of prompts) {
    const label = `${name}@${version}`;
    for (const [row, token] of tokens.entries()) {
      if (token.row !== row) return `row ${row} of ${label} is said to be row ${token.row}`;
      if (token.id >= result.vocabSize) return `token ${token.id} of ${label} is outside the vocabulary`;
      ids.add(token.id);
      texts.add(token.text);
    }
    if (spelled !== tokens.map(({ text }) => text).join('')) return `${label} is spelled otherwise than its tokens`;
  }
  const count = prompts.reduce((sum, { tokens }) => sum + tokens.length, 0);
  if (ids.size !== count || texts.size !== count) return 'a virtual token stands for two rows';
  const labels = new Set(prompts.map(({ name, version }) => `${name}@${version}`));
  return labels.size === prompts.length ? null : 'a prompt is listed twice';
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw invalidGraft(path, 'it is not UTF-8', error);
  }
}

function invalidGraft(path: string, what: string, cause?: unknown): PreambleError {
  return new PreambleError('format_invalid', `${path} is not a valid graft record: ${what}.`, {
    action: 'Graft the checkpoint again: preamble graft.',
    cause,
  });
}
