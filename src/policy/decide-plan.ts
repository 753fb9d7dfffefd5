import { PreambleError } from '../errors.ts';
import type { Plan, PlannedPrompt } from './plan.ts';

/** What is known of a model's prompt at one moment. */
export type PromptState =
  | { readonly kind: 'none' }
  | { readonly kind: 'available'; readonly prompt: PlannedPrompt }
  | {
      readonly kind: 'unavailable';
      /** What the configuration names. */
      readonly reference: string;
      /** For the operator's log, one sentence. */
      readonly reason: string;
      /** The prompt's own text, where its manifest could be read. */
      readonly text: string | null;
    };

export interface ModelPolicy {
  /** The backend's kind, for logs. */
  readonly backend: string;
  readonly prompt: PromptState;
  readonly onPromptUnavailable: 'refuse' | 'text' | 'none';
}

/** One state of the configuration; replaced as a whole, never changed. */
export interface PolicySnapshot {
  readonly models: ReadonlyMap<string, ModelPolicy>;
}

/** Pure. Throws `model_not_found`, and `prompt_unavailable` where the configuration says to refuse. */
export function decidePlan(snapshot: PolicySnapshot, request: { readonly model: string }, tenant: string): Plan {
  const policy = snapshot.models.get(request.model);
  if (policy === undefined) throw modelNotFound(request.model, [...snapshot.models.keys()]);
  const common = { model: request.model, backend: policy.backend, tenant, mode: 'monitor' } as const;
  const { prompt } = policy;
  if (prompt.kind === 'none') return { ...common, variant: 'off', prompt: null, fallbackText: null };
  if (prompt.kind === 'available') return { ...common, variant: 'stable', prompt: prompt.prompt, fallbackText: null };
  if (policy.onPromptUnavailable === 'none') return { ...common, variant: 'off', prompt: null, fallbackText: null };
  if (policy.onPromptUnavailable === 'text' && prompt.text !== null) {
    return { ...common, variant: 'off', prompt: null, fallbackText: prompt.text };
  }
  throw new PreambleError('prompt_unavailable', `The safety prompt of ${request.model} is not available.`, {
    action: "The gateway's operator finds the reason in its log.",
  });
}

/** `name@version`, or `none`: what `x-preamble-prompt` says. */
export function promptLabelOf(plan: Plan): string {
  return plan.prompt === null ? 'none' : `${plan.prompt.name}@${plan.prompt.version}`;
}

export function modelNotFound(model: string, known: readonly string[]): PreambleError {
  return new PreambleError('model_not_found', `The model '${model.slice(0, 120)}' does not exist.`, {
    action: `There are: ${known.join(', ')}.`,
    param: 'model',
  });
}
