import type { Logger } from 'pino';
import { PreambleError } from '../errors.ts';
import type { PlannedRollout } from '../policy/rollout.ts';
import { parsePromptReference, promptLabel } from '../prompts/name.ts';
import type { PromptVersion } from '../prompts/registry.ts';
import type { Rollout } from '../rollout/record.ts';
import type { Rollouts } from '../rollout/rollouts.ts';
import type { PreparedPrompts } from './prepare-prompts.ts';
import { FINAL_FAULTS } from './refresh.ts';
import type { PromptResolver } from './resolve-prompt.ts';

export interface CandidateSurroundings {
  readonly rollouts: Rollouts;
  readonly resolver: PromptResolver;
  /** A model that loads can't be asked; its candidate waits. */
  isLoading(model: string): boolean;
  /** Whether the candidate's rows mean something to the model. Throws `prompt_mismatch`. */
  check(model: string, version: PromptVersion): Promise<void>;
  readonly logger: Logger;
}

/** Names that a rollout may be of: those that models and tenants use without a version, so that a promotion can change what they mean. */
export function rolloutNames(prompts: PreparedPrompts): ReadonlySet<string> {
  return new Set(prompts.flatMap(({ reference }) => nameOf(reference) ?? []));
}

/**
 * The prompts, each with what is on its way to take its place. A candidate that can't be used here is refused with one line in the log, and what is stable
 * serves all: a rollout breaks nothing.
 */
export async function withCandidates(
  prompts: PreparedPrompts,
  { rollouts, resolver, isLoading, check, logger }: CandidateSurroundings,
): Promise<PreparedPrompts> {
  const inForce = await rollouts.look(rolloutNames(prompts));
  const refused = new Set<string>();
  const candidateFor = async (prompt: PreparedPrompts[number]): Promise<PlannedRollout | null> => {
    const { reference, model, state } = prompt;
    const rollout = inForce.get(nameOf(reference) ?? '');
    if (rollout === undefined || state.kind !== 'available') return null;
    if (rollout.model !== null && rollout.model !== model) return null;
    // It is stable already: promoted, and about to be said so.
    if (rollout.candidate.digest === state.prompt.softPrompt.digest) return null;
    if (isLoading(model)) {
      rollouts.lookAgain();
      return null;
    }
    try {
      const version = await candidateOf(rollout, resolver);
      await check(model, version);
      return await planned(rollout, version);
    } catch (error) {
      if (!(error instanceof PreambleError) || !FINAL_FAULTS.has(error.code)) rollouts.lookAgain();
      else if (!refused.has(`${rollout.id} ${model}`)) {
        refused.add(`${rollout.id} ${model}`);
        const fields = { event: 'rollout.refused', prompt: rollout.name, candidate: rollout.candidate.version, model };
        logger.error({ ...fields, err: error }, 'a candidate was refused: what is stable stays');
      }
      return null;
    }
  };
  return await Promise.all(
    prompts.map(async (prompt) => {
      const rollout = await candidateFor(prompt);
      if (rollout === null || prompt.state.kind !== 'available') return prompt;
      return { ...prompt, state: { ...prompt.state, rollout } };
    }),
  );
}

function nameOf(reference: string | null): string | null {
  if (reference === null) return null;
  const { name, version } = parsePromptReference(reference);
  return version === null ? name : null;
}

async function candidateOf({ name, candidate }: Rollout, resolver: PromptResolver): Promise<PromptVersion> {
  const version = await resolver.resolve(promptLabel(name, candidate.version));
  if (version.digest === candidate.digest) return version;
  throw new PreambleError('digest_mismatch', `${version.label} is not what its rollout was started with.`, {
    action: 'Abort the rollout, and start one with this content under a version of its own.',
  });
}

async function planned(rollout: Rollout, version: PromptVersion): Promise<PlannedRollout> {
  const { id, name, shares, shadow } = rollout;
  const { manifest } = version;
  const softPrompt = await version.load();
  return {
    id,
    name,
    epoch: shares.length - 1,
    share: shares.at(-1) ?? 0,
    shadow,
    candidate: { name, version: version.version, position: manifest.position, softPrompt },
  };
}
