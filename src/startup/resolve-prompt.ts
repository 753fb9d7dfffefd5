import { PreambleError } from '../errors.ts';
import type { ModelPolicy, PromptState } from '../policy/snapshot.ts';
import type { PromptRegistry, PromptVersion } from '../prompts/registry.ts';

export interface ResolvedPrompt {
  readonly state: PromptState;
  /** What was found, to be held against the model once that is loaded. */
  readonly version: PromptVersion | null;
}

/**
 * The prompt that a reference names, for a model or for a tenant of it. One that is there and wrong (digest, shape) is an error at once, whatever the settings say; so
 * is one that is not there where `onPromptUnavailable` is `refuse`, as every request would be refused.
 */
export async function resolvePrompt(
  reference: string | null,
  onPromptUnavailable: ModelPolicy['onPromptUnavailable'],
  registry: Pick<PromptRegistry, 'resolve'>,
): Promise<ResolvedPrompt> {
  if (reference === null) return { state: { kind: 'none' }, version: null };
  let version: PromptVersion;
  try {
    version = registry.resolve(reference);
  } catch (error) {
    const absent = error instanceof PreambleError && error.code === 'prompt_not_found';
    if (!absent || onPromptUnavailable === 'refuse') throw error;
    return { state: unavailable(reference, error.message, null), version: null };
  }
  try {
    return { state: available(version, await version.load()), version };
  } catch (error) {
    const unreadable = error instanceof PreambleError && error.code === 'file_unreadable';
    if (!unreadable || onPromptUnavailable === 'refuse') throw error;
    return { state: unavailable(reference, error.message, version.manifest.text ?? null), version: null };
  }
}

function available(version: PromptVersion, softPrompt: Awaited<ReturnType<PromptVersion['load']>>): PromptState {
  const { name, manifest } = version;
  return {
    kind: 'available',
    prompt: { name, version: version.version, position: manifest.position, softPrompt },
  };
}

function unavailable(reference: string, reason: string, text: string | null): PromptState {
  return { kind: 'unavailable', reference, reason, text };
}
