import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

export interface ObtainProcess {
  child: ChildProcess;
  /** The lines printed so far, parsed. */
  lines: unknown[];
  /** Resolves with the exit code or the signal that ended it. */
  ended: Promise<number | string>;
}

export function startObtaining(t: Test, model: string, environment: Record<string, string>): ObtainProcess {
  const script = fileURLToPath(new URL('obtain-process.ts', import.meta.url));
  const child = spawn(process.execPath, [script, model], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const lines: unknown[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts.map((line) => JSON.parse(line)));
  });
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal);
  return { child, lines, ended };
}
