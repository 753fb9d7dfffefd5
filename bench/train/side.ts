import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

/** One step of the optimiser. */
export interface Step {
  seconds: number;
  /** Before the step. */
  loss: number;
  /** Of the gradient, before clipping. */
  gradientNorm: number;
}

/** One of the two that train: a process of its own, so that its memory is its own, which takes a step for each line that it gets. */
export interface Side {
  step(): Promise<Step>;
  /** The most memory it had, MB. */
  peakMegabytes(): Promise<number>;
  close(): void;
}

export function startSide(command: string, args: readonly string[]): Side {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    async step() {
      child.stdin.write('step\n');
      const { value, done } = await lines.next();
      if (done) throw new Error(`${command} ${args.join(' ')} ended before it answered`);
      return JSON.parse(value);
    },
    async peakMegabytes() {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1000;
    },
    close: () => child.kill(),
  };
}
