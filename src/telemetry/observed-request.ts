import type { ErrorCode } from '../errors.ts';
import type { Plan } from '../policy/plan.ts';
import type { AnswerSummary, Observations, RequestFinished, RequestResult } from './observations.ts';

/** How a request's connection was left. */
export interface RequestClosed extends Pick<RequestFinished, 'requestId' | 'method' | 'route' | 'tenant' | 'totalMs'> {
  /** Null where no head was sent. */
  readonly status: number | null;
  /** All of the answer was handed to the network. */
  readonly complete: boolean;
}

/** What is learnt of one request on its way. It is told of once, when its connection is done with it and its answer has been read to the end. */
export interface ObservedRequest {
  planned(plan: Plan): void;
  /** An answer is asked for, and `answered` will follow, or `abandoned` where none was begun. */
  asked(): void;
  abandoned(): void;
  answered(summary: AnswerSummary): void;
  /** The first one counts. */
  failed(fault: ErrorCode): void;
  closed(how: RequestClosed): void;
}

/** For a client that went away before the answer's head: nginx's code, which logs are read by. */
const CLIENT_WENT_AWAY = 499;

export function observeRequest(
  observations: Observations,
  onFinished: (finished: RequestFinished) => void,
): ObservedRequest {
  let plan: Plan | null = null;
  let answer: AnswerSummary | null = null;
  let fault: ErrorCode | null = null;
  let closing: RequestClosed | null = null;
  let answering = false;
  observations.requestStarted();

  function tellIfOver(): void {
    if (closing === null || answering) return;
    const { status: sent, complete, ...known } = closing;
    const status = sent ?? CLIENT_WENT_AWAY;
    const finished = { ...known, status, result: resultOf(status, fault, complete), fault, plan, answer };
    onFinished(finished);
    observations.requestFinished(finished);
  }

  return {
    planned(decided) {
      plan = decided;
    },
    asked() {
      answering = true;
    },
    abandoned() {
      answering = false;
      tellIfOver();
    },
    answered(summary) {
      answering = false;
      answer = summary;
      if (plan !== null) {
        for (const [index, record] of summary.decisions.entries()) {
          observations.decisionMade({ plan, record, content: summary.contents?.[index] ?? null });
        }
      }
      tellIfOver();
    },
    failed(code) {
      fault ??= code;
    },
    closed(how) {
      closing = how;
      tellIfOver();
    },
  };
}

/** A stream that broke off has the status 200 all the same: its fault tells. */
function resultOf(status: number, fault: ErrorCode | null, complete: boolean): RequestResult {
  if (fault === 'cancelled' || (fault === null && !complete)) return 'cancelled';
  if (status >= 500 || (fault !== null && status < 400)) return 'failed';
  return status >= 400 ? 'rejected' : 'ok';
}
