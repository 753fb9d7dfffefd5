import { PreambleError } from '../errors.ts';
import type { ModelPolicy, PromptState } from '../policy/snapshot.ts';
import type { PromptVersion } from '../prompts/registry.ts';

/** Directories alone, or with Redis behind them. */
export interface PromptResolver {
  resolve(reference: string): PromptVersion | Promise<PromptVersion>;
}

export interface ResolvedPrompt {
  readonly state: PromptState;
  /** What was found, to be held against the model once that is loaded. */
  readonly version: PromptVersion | null;
  /** Why it is unavailable. */
  readonly error?: PreambleError;
}

/**
 * The prompt that a reference names, for a model or for a tenant of it. One that is there and wrong (digest, shape) is an error at once, whatever the settings say; so
 * is one that is not there where `onPromptUnavailable` is `refuse`, as every request would be refused. One that is not known for want of Redis is waited for.
 */
export async function resolvePrompt(
  reference: string | null,
  onPromptUnavailable: ModelPolicy['onPromptUnavailable'],
  registry: PromptResolver,
): Promise<ResolvedPrompt> {
  if (reference === null) return { state: { kind: 'none' }, version: null };
  let version: PromptVersion;
  try {
    version = await registry.resolve(reference);
  } catch (error) {
    if (!(error instanceof PreambleError)) throw error;
    const absent = error.code === 'prompt_not_found' && onPromptUnavailable !== 'refuse';
    if (!absent && error.code !== 'redis_unavailable') throw error;
    return { state: unavailable(reference, error.message, null), version: null, error };
  }
  try {
    return { state: available(version, await version.load()), version };
  } catch (error) {
    if (!(error instanceof PreambleError)) throw error;
    if (error.code !== 'file_unreadable' || onPromptUnavailable === 'refuse') throw error;
    return { state: unavailable(reference, error.message, version.manifest.text ?? null), version: null, error };
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
