import { SingleBar } from 'cli-progress';
import type { ModelEvent, ModelStep } from '../model/obtain/events.ts';
import { formatBytes, type Output, processOutput } from './output.ts';

/** How often a log, as opposed to a terminal, gets a line about a long step, in milliseconds. */
const LINE_EVERY_MS = 10_000;
/** Steps shorter than this, in milliseconds, are not worth a line when there is no terminal. */
const QUIET_BELOW_MS = 1_000;

const titles: Record<ModelStep, string> = {
  download: 'Downloading',
  unpack: 'Unpacking',
  convert: 'Converting',
  check: 'Checking',
  measure: 'Measuring',
  write: 'Writing',
};

export interface ModelProgress {
  onEvent(event: ModelEvent): void;
  /** Ends a bar that is still drawn; call it before writing anything else. */
  stop(): void;
}

/** Shows what obtaining a model reports on stderr: a bar on a terminal, plain lines elsewhere. */
export function modelProgress(output: Output = processOutput): ModelProgress {
  const steps = output.stderr.isTTY ? barSteps(output) : lineSteps(output);
  let current: string | undefined;
  const stop = () => {
    if (current !== undefined) steps.end();
    current = undefined;
  };
  return {
    stop,
    onEvent(event) {
      if (event.kind === 'notice') {
        stop();
        output.stderr.write(`${event.message}\n`);
        return;
      }
      const title = `${titles[event.step]} ${event.name}`;
      if (title !== current) {
        stop();
        current = title;
        steps.begin(title, event.total, event.done);
      }
      steps.advance(event.done, event.total);
      if (event.done >= event.total) stop();
    },
  };
}

interface Steps {
  begin(title: string, total: number, done: number): void;
  advance(done: number, total: number): void;
  end(): void;
}

function barSteps(output: Output): Steps {
  let bar: SingleBar | undefined;
  return {
    begin(title, total, done) {
      bar = new SingleBar({
        stream: output.stderr,
        format: `${title} [{bar}] {percentage}% of ${formatBytes(total)}, {eta_formatted} left`,
        etaBuffer: 50,
        hideCursor: false,
        clearOnComplete: true,
      });
      bar.start(total, done);
    },
    advance: (done) => bar?.update(done),
    end: () => bar?.stop(),
  };
}

function lineSteps(output: Output): Steps {
  let title = '';
  let began = 0;
  let said = 0;
  let spoke = false;
  return {
    begin(nextTitle) {
      title = nextTitle;
      began = Date.now();
      said = began;
      spoke = false;
    },
    advance(done, total) {
      const now = Date.now();
      const due = spoke ? now - said >= LINE_EVERY_MS : now - began >= QUIET_BELOW_MS;
      if (!due || done >= total) return;
      const percent = Math.floor((100 * done) / total);
      output.stderr.write(`${title}: ${percent}% of ${formatBytes(total)}\n`);
      spoke = true;
      said = now;
    },
    end() {
      if (spoke) output.stderr.write(`${title}: done\n`);
    },
  };
}
