import type { PromptPosition, StoredSoftPrompt } from '../prompts/soft-prompt.ts';
import type { RolloutPart } from './rollout.ts';

export type PromptVariant = 'stable' | 'canary' | 'shadow' | 'off';
export type PolicyMode = 'monitor' | 'enforce';

export interface PlannedPrompt {
  readonly name: string;
  readonly version: string;
  readonly position: PromptPosition;
  readonly softPrompt: StoredSoftPrompt;
}

/** What was decided for one request before it is answered; a request keeps its plan to the end. */
export interface Plan {
  /** The name that the client asked for. */
  readonly model: string;
  /** The configured model that it means. */
  readonly entry: string;
  /** The server's name of the LoRA adapter that it means; null for the model itself. */
  readonly adapter: string | null;
  readonly backend: string;
  readonly tenant: string;
  readonly mode: PolicyMode;
  readonly variant: PromptVariant;
  readonly prompt: PlannedPrompt | null;
  /** The prompt's own text, sent in its place where it can't be used and `onPromptUnavailable` is `text`; else null. */
  readonly fallbackText: string | null;
  /** What it has to do with the rollout of its prompt, where one is under way. */
  readonly rollout?: RolloutPart;
}
