import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

const entry = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

export interface CliProcess {
  readonly child: ChildProcess;
  /** What came so far. */
  stdout(): string;
  stderr(): string;
  /** The log lines so far, parsed. */
  logs(): Record<string, unknown>[];
  /** The match, once standard output and error together have it. Rejects if the process ends without. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/** `preamble` with these arguments as a process of its own; the test's end kills it. Variables that are undefined are taken away. */
export function startCli(
  t: Test,
  cwd: string,
  args: readonly string[],
  environment: Record<string, string | undefined> = {},
): CliProcess {
  // The test runner's own options are none of this program's business.
  const env = { ...process.env, NODE_OPTIONS: undefined, ...environment };
  const child = spawn(process.execPath, [entry, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  const texts = { stdout: '', stderr: '' };
  const waiting = new Set<() => void>();
  const look = () => {
    for (const again of waiting) again();
  };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
      look();
    });
  }
  let over = false;
  const ended = new Promise<number | string>((resolve) => {
    child.on('close', (code, signal) => {
      over = true;
      resolve(code ?? signal ?? 'unknown');
      look();
    });
  });
  return {
    child,
    ended,
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    logs: () =>
      texts.stderr
        .split('\n')
        .filter((line) => line.startsWith('{') && line.endsWith('}'))
        .map((line) => JSON.parse(line)),
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const again = () => {
          const found = pattern.exec(`${texts.stdout}\n${texts.stderr}`);
          if (found === null && !over) return;
          waiting.delete(again);
          if (found !== null) resolve(found);
          else reject(new Error(`ended without ${pattern}: ${texts.stdout}${texts.stderr}`));
        };
        waiting.add(again);
        again();
      }),
  };
}

/** Runs it to its end. */
export async function runCli(
  t: Test,
  cwd: string,
  args: readonly string[],
  environment: Record<string, string | undefined> = {},
): Promise<{ code: number | string; stdout: string; stderr: string }> {
  const cli = startCli(t, cwd, args, environment);
  return { code: await cli.ended, stdout: cli.stdout(), stderr: cli.stderr() };
}

/** Waits until it listens, and says where: `http://127.0.0.1:PORT`. */
export async function listening(cli: CliProcess): Promise<string> {
  const [, origin = ''] = await cli.until(/^Preamble listens on (\S+)\/v1 and loads\.$/m);
  return origin;
}

/** Waits until it can answer. */
export async function serving(cli: CliProcess): Promise<string> {
  const [, origin = ''] = await cli.until(/^Preamble serves (\S+)\/v1$/m);
  return origin;
}
