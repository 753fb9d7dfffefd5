import type { GuardFinding } from '../guard/guard.ts';
import type { Plan, PolicyMode, PromptVariant } from '../policy/plan.ts';

/**
 * What became of one choice. `refused`: nothing of what was asked for was given. `partial`: some of it was given and some refused.
 * `complied`: no refusal was found. `empty`: no text, no refusal, no tool call. `filtered`: the model server or the guard cut the answer off.
 * `unknown`: the answer did not reach its end.
 */
export type DecisionKind = 'refused' | 'partial' | 'complied' | 'empty' | 'filtered' | 'unknown';

export interface Decision {
  readonly decision: DecisionKind;
  /** `name@version` of the detector that decided. */
  readonly detector: string;
  /** The rule that fired; null where none did. */
  readonly rule: string | null;
  /** Where in the answer the rule's phrase begins, in UTF-16 code units from the start of its text; null without a rule or a place. */
  readonly atChar: number | null;
}

/** What the gateway knows of a choice besides its text, once it has ended. */
export interface ChoiceOutcome {
  readonly requestId: string;
  /** The choice's index. */
  readonly choice: number;
  readonly stream: boolean;
  /** As the model server gave it, or `content_filter` where the guard replaced it; null when the answer did not reach its end. */
  readonly finishReason: string | null;
  /** Null where the model server did not count. */
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  /** Milliseconds from the request's arrival to the first piece of the answer; null where there was none. */
  readonly firstTokenMs: number | null;
  /** Milliseconds from the request's arrival to the end of the answer. */
  readonly totalMs: number;
  /** Milliseconds of `totalMs` that the gateway itself took. */
  readonly gatewayMs: number;
  /** Null where no guard judged it, or the answer broke off before it had. */
  readonly guard: GuardFinding | null;
}

/** One line of the decision log, one a choice. It holds neither the prompt's nor the answer's text. */
export interface DecisionRecord extends Decision, ChoiceOutcome {
  readonly event: 'refusal.decision';
  readonly tenant: string;
  readonly model: string;
  readonly backend: string;
  readonly prompt: { readonly name: string; readonly version: string; readonly digest: string } | null;
  readonly variant: PromptVariant;
  readonly mode: PolicyMode;
}

/** Pure: the caller logs it. Fields are copied by name, so that nothing that a caller hangs on its objects gets into the log. */
export function decisionRecord(plan: Plan, decision: Decision, outcome: ChoiceOutcome): DecisionRecord {
  return {
    event: 'refusal.decision',
    requestId: outcome.requestId,
    tenant: plan.tenant,
    model: plan.model,
    backend: plan.backend,
    prompt: plan.prompt && {
      name: plan.prompt.name,
      version: plan.prompt.version,
      digest: plan.prompt.softPrompt.digest,
    },
    variant: plan.variant,
    mode: plan.mode,
    choice: outcome.choice,
    decision: decision.decision,
    detector: decision.detector,
    rule: decision.rule,
    atChar: decision.atChar,
    stream: outcome.stream,
    finishReason: outcome.finishReason,
    promptTokens: outcome.promptTokens,
    completionTokens: outcome.completionTokens,
    firstTokenMs: outcome.firstTokenMs,
    totalMs: outcome.totalMs,
    gatewayMs: outcome.gatewayMs,
    guard: outcome.guard && {
      name: outcome.guard.name,
      action: outcome.guard.action,
      reason: outcome.guard.reason,
    },
  };
}
