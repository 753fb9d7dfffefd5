import { type ChoiceJudge, createChoiceJudge } from './choice-judge.ts';
import type { GuardedAnswer, GuardFinding, GuardPolicy } from './guard.ts';

/** The guard beside one answer, choice by choice. */
export interface Guarding {
  readonly policy: GuardPolicy;
  /** Else it is only told what the guard would have done. */
  readonly enforces: boolean;
  /** Fires when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  judgeOf(choice: number): ChoiceJudge;
  finding(choice: number): GuardFinding | null;
  /**
   * The answer is over, however it ended; what was only read along is judged to its end. Null where no verdict is awaited; else resolves when
   * all are there. Never rejects.
   */
  ended(): Promise<void> | null;
}

export function createGuarding(
  policy: GuardPolicy,
  answer: Omit<GuardedAnswer, 'choice'>,
  enforces: boolean,
): Guarding {
  const judges = new Map<number, ChoiceJudge>();

  const verdicts = (): Promise<void> | null => {
    const running = [...judges.values()].flatMap((judge) => judge.running() ?? []);
    return running.length === 0 ? null : Promise.all(running).then(() => verdicts() ?? undefined);
  };

  return {
    policy,
    enforces,
    signal: answer.signal,
    judgeOf(choice) {
      let judge = judges.get(choice);
      if (judge === undefined) {
        judge = createChoiceJudge(policy, { ...answer, choice }, enforces);
        judges.set(choice, judge);
      }
      return judge;
    },
    finding: (choice) => judges.get(choice)?.finding() ?? null,
    ended() {
      // What was to be enforced has been, or broke off.
      if (enforces) return null;
      for (const judge of judges.values()) judge.end();
      return verdicts();
    },
  };
}
