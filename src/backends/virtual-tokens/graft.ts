import { PreambleError } from '../../errors.ts';
import { readGraft } from '../../graft/graft-file.ts';
import type { Plan } from '../../policy/plan.ts';

/** One grafted prompt, as requests carry it. */
export interface SpelledPrompt {
  /** `name@version` */
  readonly label: string;
  readonly position: 'system' | 'user';
  /** The tokens' ids, in order. */
  readonly ids: readonly number[];
  /** How each is spelled. */
  readonly texts: readonly string[];
  /** All of them joined. */
  readonly spelled: string;
}

/** What a grafted checkpoint holds. */
export interface SpelledPrompts {
  /** Null where it does not hold the version with this digest. */
  find(digest: string): SpelledPrompt | null;
  readonly all: readonly SpelledPrompt[];
  /** Of every prompt's tokens. */
  readonly ids: ReadonlySet<number>;
  /** Where it was read; null where the settings name no graft. */
  readonly path: string | null;
}

/** `path` is a `preamble-graft.json`, or the directory that holds it; null for none. Throws `file_unreadable`, `format_invalid`. */
export async function loadSpelledPrompts(path: string | null): Promise<SpelledPrompts> {
  const prompts = path === null ? [] : (await readGraft(path)).prompts;
  const byDigest = new Map(
    prompts.map(({ name, version, digest, position, tokens, spelled }): [string, SpelledPrompt] => [
      digest,
      {
        label: `${name}@${version}`,
        position,
        ids: tokens.map(({ id }) => id),
        texts: tokens.map(({ text }) => text),
        spelled,
      },
    ]),
  );
  const all = [...byDigest.values()];
  return { find: (digest) => byDigest.get(digest) ?? null, all, ids: new Set(all.flatMap(({ ids }) => ids)), path };
}

/** The plan's prompt in the graft; null for none. Throws `prompt_unavailable`. */
export function spelledFor({ find }: SpelledPrompts, { prompt }: Plan): SpelledPrompt | null {
  if (prompt === null) return null;
  const found = find(prompt.softPrompt.digest);
  if (found !== null) return found;
  throw new PreambleError('prompt_unavailable', 'The safety prompt is not in the grafted model that is served.');
}

/** Throws `prompt_mismatch`: which prompts are there, and the command that puts this one in. */
export function assertGrafted({ find, all, path }: SpelledPrompts, label: string, digest: string): void {
  if (find(digest) !== null) return;
  const same = all.some((other) => other.label === label);
  const there = all.length === 0 ? 'none' : all.map((other) => other.label).join(', ');
  const wanted = [...new Set([label, ...all.map((other) => other.label)])].map((each) => `--prompt ${each}`).join(' ');
  throw new PreambleError(
    'prompt_mismatch',
    path === null
      ? `${label} cannot be sent: the backend names no graft.`
      : same
        ? `${path} holds ${label} with other content than the prompt directories do.`
        : `${label} is not in ${path}. There: ${there}.`,
    { action: `Graft it and serve the result: preamble graft --model DIR ${wanted} --out DIR.` },
  );
}
