import type { PromptPosition, SoftPrompt } from '../prompts/soft-prompt.ts';

export type PromptVariant = 'stable' | 'canary' | 'shadow' | 'off';
export type PolicyMode = 'monitor' | 'enforce';

/** What was decided for one request before it is answered; a request keeps its plan to the end. */
export interface Plan {
  /** The name that the client asked for. */
  readonly model: string;
  readonly backend: string;
  readonly tenant: string;
  readonly mode: PolicyMode;
  readonly variant: PromptVariant;
  readonly prompt: { readonly name: string; readonly version: string; readonly position: PromptPosition; readonly softPrompt: SoftPrompt } | null;
}
