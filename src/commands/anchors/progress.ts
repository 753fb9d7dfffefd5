import { SingleBar } from 'cli-progress';
import type { AnchorEvent } from '../../dro/anchors/anchor-event.ts';
import type { Output } from '../output.ts';

export interface AnchorProgress {
  onEvent(event: AnchorEvent): void;
  /** Ends a bar that is still drawn; call it before writing anything else. */
  stop(): void;
  /** Queries whose answers are counted and kept, under all prompts so far. */
  readonly kept: number;
}

export interface Amounts {
  queries: number;
  /** Answers a query. */
  samples: number;
}

/** On a terminal a bar for the states and one for the answers under each prompt, elsewhere a line for each prompt. */
export function anchorProgress({ queries, samples }: Amounts, output: Output): AnchorProgress {
  const onTerminal = output.stderr.isTTY === true;
  let bar: SingleBar | undefined;
  let label = '';
  let answered = 0;
  let kept = 0;
  let answering: { since: number; tokens: number } | null = null;

  const stop = () => {
    bar?.stop();
    bar = undefined;
  };
  const draw = (format: string, total: number, done: number) => {
    stop();
    if (!onTerminal) return;
    bar = new SingleBar({ stream: output.stderr, format, etaBuffer: 200, hideCursor: false, clearOnComplete: true });
    bar.start(total, done, { rate: 0 });
  };
  const startAnswers = () => {
    const format = `${label}: answers [{bar}] {value} of {total}, {rate} tokens/s, {eta_formatted} left`;
    draw(format, queries * samples, answered * samples);
    return { since: performance.now(), tokens: 0 };
  };

  return {
    stop,
    get kept() {
      return kept;
    },
    onEvent(event) {
      switch (event.kind) {
        case 'begin':
          label = event.prompt.label;
          answered = event.answered;
          kept += answered;
          answering = null;
          if (!onTerminal) output.stderr.write(`${label}: ${queries} queries${keptBefore(answered)}\n`);
          else if (event.states < queries) draw(`${label}: states [{bar}] {value} of {total}`, queries, event.states);
          break;
        case 'states':
          bar?.update(event.done);
          break;
        case 'answer':
          answering ??= startAnswers();
          answering.tokens += event.answer.completionTokens;
          bar?.increment(1, { rate: Math.round((1000 * answering.tokens) / (performance.now() - answering.since)) });
          break;
        case 'query':
          kept++;
          break;
        case 'end':
          stop();
      }
    },
  };
}

function keptBefore(answered: number): string {
  return answered === 0 ? '' : `, the answers to ${answered} are there already`;
}
