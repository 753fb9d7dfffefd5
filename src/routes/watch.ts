import type { FastifyBaseLogger } from 'fastify';
import type { Guarding } from '../guard/guarding.ts';
import type { AnswerEnd } from '../limits/admission.ts';
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
  /** Null where nothing judges the answer. */
  readonly guarding: Guarding | null;
  /** Called by `end()`. */
  onRead(end: AnswerEnd): void;
  /** Called by `end()` too, or as soon as a guard that only reads along has given its last verdict. */
  onEnd(summary: AnswerSummary): void;
}

/** Reads along one answer and ends in one logged decision a choice. */
export interface Watch {
  text(choice: number, text: string): void;
  refusal(choice: number, text: string): void;
  toolCall(choice: number): void;
  finish(choice: number, reason: string): void;
  usage(usage: CompletionUsage): void;
  /** The client gets no more of it: what comes is not read. */
  cut(choice: number): void;
  /** Time that is not the gateway's own: waiting for the backend, or for the client to read. */
  waiting<T>(others: Promise<T>): Promise<T>;
  /** Logs the decisions. Call it once, however the answer ended. */
  end(): void;
}

interface ChoiceState {
  observer: Observer;
  finishReason: string | null;
  cut: boolean;
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
      found = { observer: detector.start(), finishReason: null, cut: false, firstAt: null, answer: '' };
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

  /** Each choice's record, and its content where that is kept. */
  function decide(totalMs: number, gatewayMs: number): (readonly [DecisionRecord, DecisionContent | null])[] {
    for (let choice = 0; choice < context.choices; choice++) state(choice);
    return [...states]
      .sort(([a], [b]) => a - b)
      .map(([choice, { observer, finishReason, firstAt, answer }]) => {
        const record = decisionRecord(context.plan, observer.end(finishReason), {
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
          guard: context.guarding?.finding(choice) ?? null,
        });
        log.info(record, 'refusal decision');
        if (!keepsContent) return [record, null];
        const content = { request: context.content, answer };
        log.info({ event: 'content', requestId: context.requestId, choice, ...content }, 'content');
        return [record, content];
      });
  }

  return {
    text(choice, text) {
      const found = text === '' ? null : begun(choice);
      if (found === null || found.cut) return;
      characters += text.length;
      found.observer.push(text);
      if (keepsContent) found.answer += text;
    },
    refusal: (choice, text) => begun(choice).observer.refusal(text),
    toolCall: (choice) => begun(choice).observer.toolCall(),
    finish(choice, reason) {
      const found = state(choice);
      if (!found.cut) found.finishReason = reason;
    },
    usage(counted) {
      usage = counted;
    },
    cut(choice) {
      Object.assign(state(choice), { cut: true, finishReason: 'content_filter' });
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
      context.onRead({ usage, characters });
      const conclude = () => {
        const decided = decide(totalMs, gatewayMs);
        context.onEnd({
          stream: context.stream,
          usage,
          characters,
          decisions: decided.map(([record]) => record),
          contents: keepsContent ? decided.flatMap(([, content]) => content ?? []) : null,
          firstTokenMs: first === null ? null : milliseconds(first.at - arrivedAt),
          upstreamFirstTokenMs: first === null ? null : milliseconds(first.waitedMs),
          totalMs: milliseconds(totalMs),
          gatewayMs,
        });
      };
      const verdicts = context.guarding?.ended() ?? null;
      if (verdicts === null) conclude();
      else void verdicts.then(conclude);
    },
  };
}

/** Microseconds are the clock's grain. */
function milliseconds(duration: number): number {
  return Math.round(duration * 1000) / 1000;
}
