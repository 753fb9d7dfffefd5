import { SingleBar } from 'cli-progress';
import { gigabytes } from '../../dro/training/check-memory.ts';
import type { TrainingEvent } from '../../dro/training/run-training.ts';
import type { DevMetrics, StepMetrics } from '../../dro/training/train.ts';
import { anchorProgress } from '../anchors/progress.ts';
import type { Output } from '../output.ts';

export interface TrainingProgress {
  onEvent(event: TrainingEvent): void;
  /** Ends a bar that is still drawn; call it before writing anything else. */
  stop(): void;
}

export interface TrainingAmounts {
  steps: number;
  queries: number;
  samples: number;
}

/** Steps between two lines where there is no terminal. */
const LINE_EVERY_STEPS = 10;
const LINE_EVERY_ANSWERS = 200;

/** A bar for the steps with the loss beside it; each look at the dev split stays as a line. */
export function trainingProgress({ steps, queries, samples }: TrainingAmounts, output: Output): TrainingProgress {
  const { stderr } = output;
  const onTerminal = stderr.isTTY === true;
  const anchors = anchorProgress({ queries, samples }, output);
  let bar: SingleBar | undefined;
  const stop = () => {
    anchors.stop();
    bar?.stop();
    bar = undefined;
  };
  const draw = (format: string, total: number, done: number) => {
    if (bar !== undefined || !onTerminal) return;
    bar = new SingleBar({ stream: stderr, format, etaBuffer: 20, hideCursor: false, clearOnComplete: true });
    bar.start(total, done, { loss: '' });
  };
  const say = (line: string) => {
    stop();
    stderr.write(`${line}\n`);
  };
  const step = (metrics: StepMetrics) => {
    const loss = `loss ${metrics.loss.toFixed(3)}`;
    draw('Training [{bar}] {value} of {total}, {loss}, {eta_formatted} left', steps, metrics.step);
    bar?.update(metrics.step, { loss });
    if (!onTerminal && metrics.step % LINE_EVERY_STEPS === 0) {
      stderr.write(`step ${metrics.step} of ${steps}: ${loss}, ${metrics.seconds.toFixed(1)} s a step\n`);
    }
  };

  return {
    stop,
    onEvent(event) {
      switch (event.kind) {
        case 'anchors':
          return anchors.onEvent(event.event);
        case 'own-answers':
          draw("The model's own answers [{bar}] {value} of {total}, {eta_formatted} left", event.total, event.done);
          bar?.update(event.done);
          if (event.done === event.total) stop();
          else if (!onTerminal && event.done % LINE_EVERY_ANSWERS === 0) {
            stderr.write(`The model's own answers: ${event.done} of ${event.total}\n`);
          }
          return;
        case 'directions': {
          const { refusal, harmfulness, cosine } = event.directions;
          return say(
            `Probes: refusal ${percent(refusal.accuracy)}, harmfulness ${percent(harmfulness.accuracy)} right on held-out anchors; cosine ${cosine.toFixed(2)}`,
          );
        }
        case 'memory':
          return say(
            `The steps need about ${gigabytes(event.bytes)} of memory; ${gigabytes(event.availableBytes)} are free`,
          );
        case 'rows':
          return say(rowsLine(event));
        case 'step':
          return step(event);
        case 'dev':
          return say(devLine(event));
      }
    },
  };
}

function rowsLine({ rows, leftOut, resumedAt }: Extract<TrainingEvent, { kind: 'rows' }>): string {
  const left = leftOut === 0 ? '' : `; ${leftOut} harmless ones are left out, since the model declines them by itself`;
  const resumed = resumedAt === 0 ? '' : `; going on from step ${resumedAt}`;
  return `Training on ${rows} queries${left}${resumed}`;
}

function devLine({ step, harmfulRefused, harmlessRefused, repetition, coherent, best }: DevMetrics): string {
  const text = coherent ? '' : ', BROKEN TEXT';
  const mark = best ? ', best so far' : '';
  return `step ${step}, dev: ${percent(harmfulRefused)} of harmful refused, ${percent(harmlessRefused)} of harmless, repetition ${repetition.toFixed(3)}${text}${mark}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)}%`;
}
