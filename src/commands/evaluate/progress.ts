import { SingleBar } from 'cli-progress';
import type { EvaluationStep } from '../../dro/evaluation/evaluate.ts';
import type { Output } from '../output.ts';

/** How often a log, as opposed to a terminal, gets a line, in milliseconds. */
const LINE_EVERY_MS = 30_000;

const titles: Record<EvaluationStep, string> = {
  answers: 'Asking',
  perplexity: 'Measuring perplexity',
  judge: 'Asking the judge',
};

export interface EvaluationProgress {
  onProgress(step: EvaluationStep, done: number, total: number): void;
  /** Ends a bar that is still drawn; call it before writing anything else. */
  stop(): void;
}

/** Shows on stderr how far an evaluation is: a bar on a terminal, a line now and then elsewhere. */
export function evaluationProgress(output: Output): EvaluationProgress {
  return output.stderr.isTTY ? drawnProgress(output) : spokenProgress(output);
}

function drawnProgress(output: Output): EvaluationProgress {
  let bar: SingleBar | undefined;
  let current: EvaluationStep | undefined;
  const stop = () => {
    bar?.stop();
    bar = undefined;
    current = undefined;
  };
  return {
    stop,
    onProgress(step, done, total) {
      if (step !== current) {
        stop();
        bar = new SingleBar({
          stream: output.stderr,
          format: `${titles[step]} [{bar}] {value} of {total}, {eta_formatted} left`,
          etaBuffer: 100,
          hideCursor: false,
          clearOnComplete: true,
        });
        bar.start(total, done);
        current = step;
      }
      bar?.update(done);
      if (done >= total) stop();
    },
  };
}

function spokenProgress(output: Output): EvaluationProgress {
  let said = Date.now();
  return {
    stop() {},
    onProgress(step, done, total) {
      if (Date.now() - said < LINE_EVERY_MS || done >= total) return;
      said = Date.now();
      output.stderr.write(`${titles[step]}: ${done} of ${total}\n`);
    },
  };
}
