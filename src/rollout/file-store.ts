import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import lockfile from 'proper-lockfile';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { PreambleError, toError } from '../errors.ts';
import { parsePromptReference, promptLabel } from '../prompts/name.ts';
import type { PromptVersion } from '../prompts/registry.ts';
import { addCounts, readCounts } from './counts.ts';
import { type RolloutTarget, readRollout } from './record.ts';
import type { RolloutStore } from './store.ts';

/** Beside `preamble.yaml`, unless its `rollouts.stateFile` names another. */
export const ROLLOUTS_FILE = 'rollouts.json';
const FORMAT = 'preamble.rollouts/1';
/** Hundreds of rollouts. */
const MAX_BYTES = 8 * 2 ** 20;
/** A change takes milliseconds; who was killed in one is not waited for longer than this. */
const STALE_MS = 5_000;
const LOCK_RETRIES = { retries: 40, minTimeout: 25, maxTimeout: 250 };

const targetSchema = Type.Object({ version: Type.String(), digest: Type.String({ pattern: '^[0-9a-f]{64}$' }) });
const numbers = Type.Record(Type.String(), Type.Integer({ minimum: 0 }));
const fileSchema = Type.Object({
  format: Type.Literal(FORMAT),
  /** By prompt: what its name without a version means, from its first rollout on. */
  stable: Type.Record(Type.String(), targetSchema),
  /** By prompt; each is checked when it is read. */
  rollouts: Type.Record(Type.String(), Type.Unknown()),
  /** By rollout's id: the sums, and the number of the last batch of each gateway. */
  counts: Type.Record(Type.String(), Type.Object({ sums: numbers, batches: numbers })),
});
const checker = Compile(fileSchema);
type Content = Static<typeof fileSchema>;

/** A registry, or Redis over one. */
interface Resolver {
  resolve(reference: string): PromptVersion | Promise<PromptVersion>;
}

/** For one gateway without Redis, and the commands beside it. */
export interface FileRollouts extends RolloutStore {
  /** What a prompt's name means since it had a rollout; null where it never had one. */
  stable(name: string): Promise<RolloutTarget | null>;
  /** A resolver that goes by it. */
  over(resolver: Resolver): { resolve(reference: string): Promise<PromptVersion> };
}

/** All state in one JSON file, which is replaced as a whole; a lock beside it keeps two writers apart. */
export function fileRollouts(file: string): FileRollouts {
  const place = `The rollouts in ${file}`;

  async function read(): Promise<Content> {
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw new PreambleError('file_unreadable', `Cannot read ${file}: ${toError(error).message}.`, { cause: error });
    });
    if (text === null) return { format: FORMAT, stable: {}, rollouts: {}, counts: {} };
    const content = parseJson(text);
    if (text.length > MAX_BYTES || !checker.Check(content)) {
      throw new PreambleError('rollout_invalid', `${file} is not of the form ${FORMAT}.`, {
        action: 'Put it right, or remove it: then there are no rollouts, and names mean the newest version again.',
      });
    }
    return content;
  }

  async function update<Result>(step: (content: Content) => Result): Promise<Result> {
    const writing = await lock(file);
    try {
      const content = await read();
      const before = JSON.stringify(content);
      const result = step(content);
      if (JSON.stringify(content) !== before) await replace(file, `${JSON.stringify(content, null, 2)}\n`);
      return result;
    } finally {
      await writing();
    }
  }

  const parse = (value: unknown) => (value === undefined ? null : readRollout(value, place));

  return {
    async list() {
      const { rollouts } = await read();
      return Object.keys(rollouts)
        .toSorted()
        .flatMap((name) => parse(rollouts[name]) ?? []);
    },
    async read(name) {
      return parse((await read()).rollouts[name]);
    },
    change: (name, step) =>
      update((content) => {
        const after = step(parse(content.rollouts[name]));
        const before = parse(content.rollouts[name]);
        content.rollouts[name] = after;
        content.stable[name] = after.status === 'promoted' ? after.candidate : after.stable;
        // Of another one nobody asks any more.
        if (before !== null && before.id !== after.id) delete content.counts[before.id];
        return after;
      }),
    counts: async (id) => readCounts((await read()).counts[id]?.sums ?? {}),
    add: (id, { gateway, number, counts }) =>
      update((content) => {
        const known = content.counts[id] ?? { sums: {}, batches: {} };
        if ((known.batches[gateway] ?? 0) < number) {
          // A gateway that ended counts on under another name; the last one's is all that can come again.
          content.counts[id] = { sums: { ...addCounts(known.sums, counts) }, batches: { [gateway]: number } };
        }
        return readCounts(content.counts[id]?.sums ?? {});
      }),
    watch() {},
    async stable(name) {
      return (await read()).stable[name] ?? null;
    },
    over: (resolver) => ({
      async resolve(reference) {
        const { name, version } = parsePromptReference(reference);
        const pinned = version === null ? (await read()).stable[name] : undefined;
        if (pinned === undefined) return await resolver.resolve(reference);
        const found = await resolver.resolve(promptLabel(name, pinned.version));
        if (found.digest === pinned.digest) return found;
        throw new PreambleError('digest_mismatch', `${found.label} is not what it was when its rollout began.`, {
          action: `A version never changes: put its files back, or remove ${name} from ${file}.`,
        });
      },
    }),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function lock(file: string): Promise<() => Promise<void>> {
  try {
    await mkdir(dirname(file), { recursive: true });
    const options = { realpath: false, stale: STALE_MS };
    return await lockfile.lock(file, options).catch((error: unknown) => {
      // Another writer ends soon; what can't be written now can't be in a second.
      if (!(error instanceof Error && 'code' in error && error.code === 'ELOCKED')) throw error;
      return lockfile.lock(file, { ...options, retries: LOCK_RETRIES });
    });
  } catch (error) {
    throw unwritable(file, error);
  }
}

async function replace(file: string, text: string): Promise<void> {
  const partial = `${file}.${randomUUID()}.partial`;
  try {
    await writeFile(partial, text, { flush: true });
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {});
    throw unwritable(file, error);
  }
}

function unwritable(file: string, cause: unknown): PreambleError {
  return new PreambleError('file_unwritable', `Cannot write ${file}: ${toError(cause).message}.`, {
    action:
      'Check the permissions of its directory and the free space, or name a place that can be written: rollouts.stateFile in preamble.yaml.',
    cause,
  });
}
