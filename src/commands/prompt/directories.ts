import { stat } from 'node:fs/promises';
import { openPromptRegistry, type PromptRegistry } from '../../prompts/registry.ts';
import { shippedPromptDirectory } from '../../prompts/shipped.ts';

export interface ReadOptions {
  prompts?: string[] | undefined;
  json?: boolean | undefined;
}

/** The prompts in the directories that were named, else those in `./prompts` and those that come with Preamble. */
export async function openPrompts(options: ReadOptions): Promise<PromptRegistry> {
  if (options.prompts !== undefined) return await openPromptRegistry(options.prompts);
  const own = (await stat('prompts').catch(() => null))?.isDirectory() ? ['prompts'] : [];
  return await openPromptRegistry([...own, shippedPromptDirectory]);
}
