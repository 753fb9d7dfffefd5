import { prerelease, rcompare, valid } from 'semver';
import { PreambleError } from '../errors.ts';

/** One path segment of a name: begins and ends with a letter or digit, so neither hidden, `..` nor padded. */
const SEGMENT = '[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?';
/** `llama-3-8b/dro`: a name may have this many segments; the registry looks no deeper. */
export const MAX_NAME_SEGMENTS = 4;
export const promptNamePattern = `^${SEGMENT}(?:/${SEGMENT}){0,${MAX_NAME_SEGMENTS - 1}}$`;
const NAME = new RegExp(promptNamePattern);
/** A file system's limit on a path segment is 255 bytes. */
export const MAX_VERSION_LENGTH = 64;
/** Names from outside are quoted in messages up to this length, in characters. */
const MAX_QUOTED = 80;

/** `name` or `name@version`. */
export interface PromptReference {
  readonly name: string;
  readonly version: string | null;
}

export function isPromptName(text: string): boolean {
  return NAME.test(text);
}

/** A semantic version in its canonical spelling; build metadata is refused, as it does not take part in the order. */
export function isPromptVersion(text: string): boolean {
  return text.length <= MAX_VERSION_LENGTH && valid(text) === text;
}

export function isStable(version: string): boolean {
  return prerelease(version) === null;
}

/** For `sort`: the newest version first, by semantic versioning's precedence. */
export function newestFirst(a: string, b: string): number {
  return rcompare(a, b);
}

/** Throws `prompt_not_found`: such a prompt cannot exist. */
export function parsePromptReference(text: string): PromptReference {
  const [name = '', version, ...rest] = text.split('@');
  if (!isPromptName(name)) {
    throw refused(text, 'Names have letters, digits, dots, dashes and underscores, and up to three slashes.');
  }
  if (rest.length > 0 || (version !== undefined && !isPromptVersion(version))) {
    throw refused(text, 'Write NAME, or NAME@VERSION with a semantic version as in careful@1.0.0.');
  }
  return { name, version: version ?? null };
}

export function promptLabel(name: string, version: string): string {
  return `${name}@${version}`;
}

/** Text from outside as it may stand in a one-line message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);
}

function refused(text: string, action: string): PreambleError {
  return new PreambleError('prompt_not_found', `${quote(text)} is not the name of a prompt.`, { action });
}
