import { InvalidArgumentError } from 'commander';
import { describe, PreambleError } from '../../errors.ts';
import { parsePromptReference } from '../../prompts/name.ts';
import type { NewVersion } from './make.ts';

const FIRST_VERSION = '1.0.0';

/** Reads NAME or NAME@VERSION, for commander. */
export function newVersion(text: string): NewVersion {
  try {
    const { name, version } = parsePromptReference(text);
    return { name, version: version ?? FIRST_VERSION };
  } catch (error) {
    if (error instanceof PreambleError) throw new InvalidArgumentError(describe(error));
    throw error;
  }
}
