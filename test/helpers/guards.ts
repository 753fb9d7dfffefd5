import type { Guard, GuardedAnswer, GuardPolicy, Verdict } from '../../src/guard/guard.ts';
import { word } from './fake-guard.ts';

export interface WatchedGuard {
  readonly policy: GuardPolicy;
  /** What each choice was started with, and what it was then told; `null` for its end. */
  readonly choices: { readonly answer: GuardedAnswer; readonly told: (string | null)[] }[];
  readonly faults: unknown[];
}

export const replacement = 'Withheld.';

const PASS: Verdict = { action: 'pass' };
const REPLACE: Verdict = { action: 'replace', reason: 'violence' };

/** A guard in this process that rejects what holds the forbidden word, at once; `settings` say what else of the policy. */
export function wordGuard(
  settings: Partial<GuardPolicy> = {},
  judge: (text: string, ended: boolean, choice: number) => Verdict | null | Promise<Verdict> = (text) =>
    text.includes(word) ? REPLACE : PASS,
): WatchedGuard {
  const choices: WatchedGuard['choices'] = [];
  const faults: unknown[] = [];
  const guard: Guard = {
    name: 'word',
    start(answer) {
      const told: (string | null)[] = [];
      let text = '';
      choices.push({ answer, told });
      return {
        push(piece) {
          told.push(piece);
          text += piece;
          return judge(text, false, answer.choice);
        },
        end() {
          told.push(null);
          return judge(text, true, answer.choice) ?? PASS;
        },
      };
    },
  };
  const policy: GuardPolicy = {
    guard,
    holdsBack: false,
    onUnavailable: 'replace',
    replacement,
    onFault: (error) => faults.push(error),
    ...settings,
  };
  return { policy, choices, faults };
}
