import type { FastifyBaseLogger } from 'fastify';
import type { CompletionUsage } from '../openai/answer.ts';
import type { Plan } from '../policy/plan.ts';
import { type DecisionRecord, decisionRecord } from '../refusal/decision.ts';
import type { Observer, RefusalDetector } from '../refusal/detector.ts';
import type { AnswerSummary, DecisionContent } from '../telemetry/observations.ts';

export interface WatchContext {
  readonly requestId: string;
  readonly plan: Plan;
  readonly stream: boolean;
  /** How many choices the request asks for. */
  readonly choices: number;
  /** On `performance.now()`'s clock. */
  readonly arrivedAt: number;
  readonly detector: RefusalDetector;
  readonly log: FastifyBaseLogger;
  /** What was asked, where `log.content` says that contents are logged; else undefined. */
  readonly content: unknown;
  /** Called by `end()`. */
  onEnd(summary: AnswerSummary): void;
}

/** Reads along one answer and ends in one logged decision a choice. */
export interface Watch {
  text(choice: number, text: string): void;
  refusal(choice: number, text: string): void;
  toolCall(choice: number): void;
  finish(choice: number, reason: string): void;
  usage(usage: CompletionUsage): void;
  /** Time that is not the gateway's own: waiting for the backend, or for the client to read. */
  waiting<T>(others: Promise<T>): Promise<T>;
  /** Logs the decisions. Call it once, however the answer ended. */
  end(): void;
}

interface ChoiceState {
  observer: Observer;
  finishReason: string | null;
  firstAt: number | null;
  /** Kept only where contents are logged. */
  answer: string;
}

export function createWatch(context: WatchContext): Watch {
  const { detector, arrivedAt, log } = context;
  const keepsContent = context.content !== undefined;
  const states = new Map<number, ChoiceState>();
  let usage: CompletionUsage | null = null;
  let waitedMs = 0;
  /** When the first piece of any choice came, and how long it had been waited for by then. */
  let first: { readonly at: number; readonly waitedMs: number } | null = null;
  let characters = 0;

  const state = (choice: number): ChoiceState => {
    let found = states.get(choice);
    if (found === undefined) {
      found = { observer: detector.start(), finishReason: null, firstAt: null, answer: '' };
      states.set(choice, found);
    }
    return found;
  };
  const begun = (choice: number): ChoiceState => {
    const found = state(choice);
    found.firstAt ??= performance.now();
    first ??= { at: found.firstAt, waitedMs };
    return found;
  };

  return {
    text(choice, text) {
      if (text === '') return;
      characters += text.length;
      const found = begun(choice);
      found.observer.push(text);
      if (keepsContent) found.answer += text;
    },
    refusal: (choice, text) => begun(choice).observer.refusal(text),
    toolCall: (choice) => begun(choice).observer.toolCall(),
    finish(choice, reason) {
      state(choice).finishReason = reason;
    },
    usage(counted) {
      usage = counted;
    },
    async waiting(others) {
      const since = performance.now();
      try {
        return await others;
      } finally {
        waitedMs += performance.now() - since;
      }
    },
    end() {
      const totalMs = performance.now() - arrivedAt;
      const gatewayMs = milliseconds(Math.max(0, totalMs - waitedMs));
      const decisions: DecisionRecord[] = [];
      const contents: DecisionContent[] = [];
      for (let choice = 0; choice < context.choices; choice++) state(choice);
      for (const [choice, { observer, finishReason, firstAt, answer }] of [...states].sort(([a], [b]) => a - b)) {
        const outcome = {
          requestId: context.requestId,
          choice,
          stream: context.stream,
          finishReason,
          promptTokens: usage?.prompt_tokens ?? null,
          // The wire counts the choices together.
          completionTokens: context.choices === 1 ? (usage?.completion_tokens ?? null) : null,
          firstTokenMs: firstAt === null ? null : milliseconds(firstAt - arrivedAt),
          totalMs: milliseconds(totalMs),
          gatewayMs,
        };
        const record = decisionRecord(context.plan, observer.end(finishReason), outcome);
        decisions.push(record);
        log.info(record, 'refusal decision');
        if (keepsContent) {
          const content = { request: context.content, answer };
          contents.push(content);
          log.info({ event: 'content', requestId: context.requestId, choice, ...content }, 'content');
        }
      }
      context.onEnd({
        stream: context.stream,
        usage,
        characters,
        decisions,
        contents: keepsContent ? contents : null,
        firstTokenMs: first === null ? null : milliseconds(first.at - arrivedAt),
        upstreamFirstTokenMs: first === null ? null : milliseconds(first.waitedMs),
        totalMs: milliseconds(totalMs),
        gatewayMs,
      });
    },
  };
}

/** Microseconds are the clock's grain. */
function milliseconds(duration: number): number {
  return Math.round(duration * 1000) / 1000;
}
