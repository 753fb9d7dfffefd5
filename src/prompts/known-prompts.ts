import { type BrokenPrompt, byNameThenNewest, type PromptRegistry, type PromptVersion } from './registry.ts';

export interface KnownPrompt extends PromptVersion {
  /** Held in memory, to be served or to be tried in a rollout. What lies in a directory may be other content under the same version. */
  readonly isUsed: boolean;
}

/** What a gateway can tell of prompts. */
export interface KnownPrompts {
  /** By name, newest version first; of one version, what is used before what lies in a directory. */
  readonly versions: readonly KnownPrompt[];
  readonly broken: readonly BrokenPrompt[];
}

/** What is used, and beside it what the directories hold. */
export function knownPrompts(used: readonly PromptVersion[], { versions, broken }: PromptRegistry): KnownPrompts {
  const known = new Map(used.map((version) => [version.digest, { ...version, isUsed: true }]));
  for (const version of versions) {
    if (!known.has(version.digest)) known.set(version.digest, { ...version, isUsed: false });
  }
  return { versions: [...known.values()].sort(byNameThenNewest), broken };
}
