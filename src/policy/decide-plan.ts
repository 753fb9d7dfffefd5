import { PreambleError } from '../errors.ts';
import type { FoundModel } from './find-model.ts';
import type { Plan } from './plan.ts';
import { type Conversation, takePart } from './rollout.ts';
import type { PolicySnapshot, TenantPolicy } from './snapshot.ts';

export interface Asked {
  /** The name that the client used. */
  readonly model: string;
  readonly found: FoundModel;
  readonly tenant: TenantPolicy;
  /** Read only where a rollout asks: it takes a walk over the texts. */
  conversation(): Conversation;
}

/** Pure. Throws `prompt_unavailable` where the configuration says to refuse. */
export function decidePlan(snapshot: PolicySnapshot, { model, found, tenant, conversation }: Asked): Plan {
  const policy = snapshot.models.get(found.entry);
  if (policy === undefined) throw new PreambleError('internal', `${found.entry} has no policy.`);
  const common = {
    model,
    entry: found.entry,
    adapter: found.adapter,
    backend: policy.backend,
    tenant: tenant.id,
    mode: tenant.mode,
  };
  const prompt = tenant.prompts.get(found.entry) ?? policy.prompt;
  if (prompt.kind === 'none') return { ...common, variant: 'off', prompt: null, fallbackText: null };
  if (prompt.kind === 'available') {
    const stable = { ...common, variant: 'stable', prompt: prompt.prompt, fallbackText: null } as const;
    if (prompt.rollout === undefined) return stable;
    const rollout = takePart(prompt.rollout, tenant, conversation());
    if (rollout.arm === 'stable' || rollout.shadow !== null) return { ...stable, rollout };
    return { ...stable, variant: 'canary', prompt: prompt.rollout.candidate, rollout };
  }
  if (policy.onPromptUnavailable === 'none') return { ...common, variant: 'off', prompt: null, fallbackText: null };
  if (policy.onPromptUnavailable === 'text' && prompt.text !== null) {
    return { ...common, variant: 'off', prompt: null, fallbackText: prompt.text };
  }
  throw new PreambleError('prompt_unavailable', `The safety prompt of ${model} is not available.`, {
    action: "The gateway's operator finds the reason in its log.",
  });
}

/** `name@version`, or `none`: what `x-preamble-prompt` says. */
export function promptLabelOf(plan: Plan): string {
  return plan.prompt === null ? 'none' : `${plan.prompt.name}@${plan.prompt.version}`;
}
