import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The gateway has one core to itself; what it is measured with has the other. */
export const GATEWAY_CORE = 0;
export const LOAD_CORE = 1;
/** Node and its peers start in a second or two, Python in twenty. */
const START_MS = 90_000;
const STOP_MS = 5_000;

export interface Running {
  readonly pid: number;
  /** Ends it, by force if need be. */
  stop(): Promise<void>;
  exited(): boolean;
}

export interface StartOptions {
  readonly core: number;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Where its output goes; none: nowhere. */
  readonly logFile?: string;
}

export function startPinned({ core, command, args, environment = {}, cwd, logFile }: StartOptions): Running {
  const log = logFile === undefined ? null : openSync(logFile, 'w');
  const child = spawn('taskset', ['-c', String(core), command, ...args], {
    stdio: ['ignore', 'ignore', log ?? 'ignore'],
    env: { ...process.env, ...environment },
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (log !== null) closeSync(log);
  return {
    // taskset becomes the command, so its id is the command's.
    pid: child.pid ?? 0,
    stop: () => stopped(child),
    exited: () => child.exitCode !== null || child.signalCode !== null,
  };
}

/** Runs one of processes/ or another program on the load core, and returns what it printed. */
export async function runPinned(command: string, args: readonly string[]): Promise<string> {
  const child = spawn('taskset', ['-c', String(LOAD_CORE), command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${complaint.slice(-2000)}`);
  return output;
}

/** `processes/NAME.ts` on the load core; `options` is its argument, its one line of JSON the result. */
export async function runGenerator<Figures>(name: 'steady' | 'streams', options: object): Promise<Figures> {
  const script = fileURLToPath(new URL(`./processes/${name}.ts`, import.meta.url));
  return JSON.parse(await runPinned(process.execPath, [script, JSON.stringify(options)]));
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await new Promise((resolve) => {
    child.once('exit', resolve);
    child.kill('SIGTERM');
  });
  clearTimeout(timer);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('There is no free port.');
  return address.port;
}

/** Resolves once `ask` gets a 200. Throws when the process ended or takes too long, with the last of its log. */
export async function waitUntilServing(
  running: Running,
  ask: () => Promise<Response>,
  logFile: string,
  startMs: number = START_MS,
): Promise<void> {
  const deadline = performance.now() + startMs;
  while (performance.now() < deadline && !running.exited()) {
    const response = await ask().catch(() => null);
    await response?.arrayBuffer();
    if (response?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await running.stop();
  const log = await readFile(logFile, 'utf8').catch(() => '');
  throw new Error(`It did not begin to serve. ${log.slice(-2000)}`);
}

export const repositoryRoot = fileURLToPath(new URL('../../', import.meta.url));
export const peersDirectory = join(repositoryRoot, 'bench', 'peers');
