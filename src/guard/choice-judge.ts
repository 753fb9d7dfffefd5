import {
  type GuardedAnswer,
  type GuardFinding,
  type GuardPolicy,
  type Judge,
  UNAVAILABLE,
  type Verdict,
} from './guard.ts';

/** One choice on its way past the guard, which is asked one thing at a time. */
export interface ChoiceJudge {
  push(text: string): void;
  /** There is no more; further calls do nothing. */
  end(): void;
  /** Characters that were pushed and may pass. */
  judged(): number;
  /** While the guard is asked: resolves when it has answered, or could not; never rejects. */
  running(): Promise<void> | null;
  /** What takes the choice's place; null as long as nothing does. */
  replacement(): string | null;
  /** Null until all is judged or replaced; also where the request was given up before that. */
  finding(): GuardFinding | null;
  /** Nothing more will change. */
  over(): boolean;
}

export function createChoiceJudge(
  { guard, onUnavailable, replacement: usual, onFault }: GuardPolicy,
  answer: GuardedAnswer,
  enforces: boolean,
): ChoiceJudge {
  let judge: Judge | null = null;
  let waiting = '';
  let given = 0;
  let judged = 0;
  let ended = false;
  let over = false;
  let missed = false;
  let running: Promise<void> | null = null;
  let replacement: string | null = null;
  let finding: GuardFinding | null = null;

  function proceed(): void {
    while (running === null && !over) {
      if (waiting !== '') {
        const text = waiting;
        waiting = '';
        given += text.length;
        ask((asked) => asked.push(text), false);
      } else if (ended) ask((asked) => asked.end(), true);
      else return;
    }
  }

  function ask(question: (asked: Judge) => Verdict | null | Promise<Verdict>, last: boolean): void {
    const take = (verdict: Verdict | null) => {
      if (verdict?.action === 'replace') conclude(verdict.reason, verdict.text ?? usual);
      else if (verdict !== null) pass(last);
    };
    const fail = (error: unknown) => unavailable(error, last);
    try {
      judge ??= guard.start(answer);
      const said = question(judge);
      if (!(said instanceof Promise)) {
        take(said);
        return;
      }
      running = said
        .then(take)
        .catch(fail)
        .then(() => {
          running = null;
          proceed();
        });
    } catch (error) {
      fail(error);
    }
  }

  function pass(last: boolean): void {
    judged = given;
    if (!last) return;
    over = true;
    finding = { name: guard.name, action: 'passed', reason: missed ? UNAVAILABLE : null };
  }

  function conclude(reason: string, text: string): void {
    over = true;
    replacement = text;
    finding = { name: guard.name, action: enforces ? 'replaced' : 'would-replace', reason };
  }

  function unavailable(error: unknown, last: boolean): void {
    if (answer.signal.aborted) {
      over = true;
      return;
    }
    onFault(error);
    missed = true;
    if (onUnavailable === 'replace') conclude(UNAVAILABLE, usual);
    else pass(last);
  }

  return {
    push(text) {
      if (text === '' || over || ended) return;
      waiting += text;
      proceed();
    },
    end() {
      ended = true;
      proceed();
    },
    judged: () => judged,
    running: () => running,
    replacement: () => replacement,
    finding: () => finding,
    over: () => over,
  };
}
