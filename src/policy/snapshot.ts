import type { PlannedPrompt, PolicyMode } from './plan.ts';
import type { PlannedRollout, Traffic } from './rollout.ts';

/** What is known of one prompt for one model at one moment. */
export type PromptState =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'available';
      readonly prompt: PlannedPrompt;
      /** What is on its way to take its place. */
      readonly rollout?: PlannedRollout;
    }
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

export interface TenantLimits {
  readonly requestsPerMinute?: number;
  /** Of prompts and answers together. */
  readonly tokensPerMinute?: number;
  /** Answers under way at a time. */
  readonly streams?: number;
}

/** Who asks, and what holds for it. */
export interface TenantPolicy {
  readonly id: string;
  /** Names of models; `*` stands for any characters. */
  readonly models: readonly string[];
  /** By the configured model's name: what stands in the place of the model's own prompt. */
  readonly prompts: ReadonlyMap<string, PromptState>;
  readonly mode: PolicyMode;
  readonly limits: TenantLimits;
  readonly logContent: boolean;
  /** What all of its requests are, for rollouts. */
  readonly traffic: Traffic;
}

/** One state of the configuration; replaced as a whole, never changed. */
export interface PolicySnapshot {
  /** By configured name. */
  readonly models: ReadonlyMap<string, ModelPolicy>;
  /** Further name -> configured name. */
  readonly aliases: ReadonlyMap<string, string>;
  /** By the SHA-256 of each of their keys, hex. Empty: no keys are asked for, and everyone is {@link everyone}. */
  readonly tenants: ReadonlyMap<string, TenantPolicy>;
}

/** Who asks where no tenants are configured. */
export const everyone: TenantPolicy = {
  id: 'default',
  models: ['*'],
  prompts: new Map(),
  mode: 'monitor',
  limits: {},
  logContent: false,
  traffic: 'mixed',
};
