import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { Pool } from 'undici';
import { killAtExit } from '../helpers/redis.ts';

const entry = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const inside = new URL('./inside.ts', import.meta.url).href;
/** Type stripping, a full machine, and model servers that are away for a while. */
const START_MS = 300_000;
const LAST_LINES = 200;
const READY_LOOK_MS = 200;
/** Connections that nobody uses go soon, so that those of a gateway at rest are its own; `fetch` would keep them for as long as a server allows, a minute. */
const KEPT_MS = 1_000;

/** What a gateway's process is told by its test. */
export type Told = { readonly kind: 'clock'; readonly shiftMs: number } | { readonly kind: 'hold' };

/** What it holds after a collection of garbage, bytes. */
export interface Held {
  readonly heapUsed: number;
  readonly external: number;
  readonly rss: number;
  readonly sockets: number;
}

export interface GatewayProcess {
  readonly origin: string;
  /** Connections that are kept, as an application's. */
  readonly connections: Pool;
  /** When it was told to end, and how; `performance.now()`'s clock. */
  readonly ending: { signal: 'SIGTERM' | 'SIGKILL'; at: number } | null;
  held(): Promise<Held>;
  turnClock(shiftMs: number): void;
  hangUp(): void;
  /** Resolves once it says that it can answer, or has ended. */
  ready(): Promise<void>;
  /** Resolves with the exit code or the signal's name. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | string>;
  /** Its latest log lines and whatever else it said. */
  lastLines(): string;
}

export interface StartOptions {
  readonly config: string;
  /** `PREAMBLE_CACHE`: its disk. */
  readonly cache: string;
  onLine(line: Record<string, unknown>): void;
}

/** `preamble serve`, listening; the test's end kills it. Throws where it ends before. */
export async function startGatewayProcess(t: Test, { config, cache, onLine }: StartOptions): Promise<GatewayProcess> {
  const child = spawn(process.execPath, ['--import', inside, entry, 'serve', '--config', config, '--port', '0'], {
    env: { ...process.env, NODE_OPTIONS: undefined, PREAMBLE_CACHE: cache },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  killAtExit(child);
  const exited = once(child, 'close').then(([code, signal]): number | string => code ?? signal ?? 'unknown');
  const last: string[] = [];
  read(child, (line) => {
    last.push(line);
    if (last.length > LAST_LINES) last.shift();
    if (line.startsWith('{') && line.endsWith('}')) onLine(JSON.parse(line));
  });
  t.teardown(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const origin = await listening(child, exited);
  if (origin === null) throw new Error(`a gateway did not start: ${last.join('\n')}`);
  let ending: GatewayProcess['ending'] = null;
  const kept = { keepAliveTimeout: KEPT_MS, keepAliveMaxTimeout: KEPT_MS };
  const connections = new Pool(origin, { connections: 256, pipelining: 1, ...kept });
  return {
    origin,
    connections,
    get ending() {
      return ending;
    },
    async held() {
      const answer = once(child, 'message');
      child.send({ kind: 'hold' } satisfies Told);
      const [held] = await answer;
      return held;
    },
    turnClock: (shiftMs) => void child.send({ kind: 'clock', shiftMs } satisfies Told),
    async ready() {
      const isReady = async () => {
        const { statusCode, body } = await connections.request({ method: 'GET', path: '/readyz' });
        await body.dump();
        return statusCode === 200;
      };
      while (child.exitCode === null && child.signalCode === null && !(await isReady().catch(() => false))) {
        await sleep(READY_LOOK_MS);
      }
    },
    hangUp: () => void child.kill('SIGHUP'),
    async end(signal) {
      ending = { signal, at: performance.now() };
      child.kill(signal);
      const how = await exited;
      await connections.destroy();
      return how;
    },
    lastLines: () => last.join('\n'),
  };
}

function read(child: ChildProcess, onLine: (line: string) => void): void {
  if (child.stderr !== null) createInterface(child.stderr).on('line', onLine);
}

async function listening(child: ChildProcess, exited: Promise<unknown>): Promise<string | null> {
  if (child.stdout === null) return null;
  const found = Promise.withResolvers<string | null>();
  createInterface(child.stdout).on('line', (line) => {
    const origin = /^Preamble listens on (\S+)\/v1 and loads\.$/.exec(line)?.[1];
    if (origin !== undefined) found.resolve(origin);
  });
  const tooLong = sleep(START_MS, null, { ref: false });
  return await Promise.race([found.promise, exited.then(() => null), tooLong]);
}
