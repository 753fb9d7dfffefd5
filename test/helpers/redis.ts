import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Test } from 'tap';
import { type ConnectionSettings, connectRedis, type RedisConnection } from '../../src/redis/connection.ts';

/** Debian's redis-server; as a sentinel too. */
const PROGRAM = 'redis-server';
const TRIES = 5;

export interface TestRedis {
  readonly port: number;
  readonly url: string;
  /** A plain client of the test's own, for looking and for breaking things. */
  readonly client: Redis;
  /** kill -9 */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. */
  restart(): Promise<void>;
  pause(): void;
  resume(): void;
}

interface RedisServer {
  readonly port: number;
  readonly process: ChildProcess;
}

/** A real redis-server on a free port of loopback; the test's end stops it. `flags` as on its command line. */
export async function startRedis(t: Test, flags: readonly string[] = []): Promise<TestRedis> {
  const directory = await temporaryDirectory(t);
  let server = await startServer(t, directory, flags);
  const { port } = server;
  const client = new Redis({ port, lazyConnect: true, retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on('error', () => {});
  t.teardown(() => client.disconnect());
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    client,
    async kill() {
      if (server.process.exitCode !== null || server.process.signalCode !== null) return;
      server.process.kill('SIGKILL');
      await once(server.process, 'exit');
    },
    async restart() {
      server = await startServer(t, directory, flags, port);
    },
    pause: () => void server.process.kill('SIGSTOP'),
    resume: () => void server.process.kill('SIGCONT'),
  };
}

const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** For a test that ends before its teardown. */
export function killAtExit(child: ChildProcess): void {
  children.add(child);
  child.once('exit', () => children.delete(child));
}

export async function temporaryDirectory(t: Test): Promise<string> {
  // Not below t.testdir: that is removed before the server that writes into it has been stopped.
  const directory = await mkdtemp(join(tmpdir(), 'preamble-redis-'));
  t.teardown(() => rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }));
  return directory;
}

/** Starts a redis-server, as a sentinel where a configuration file says so, and waits until it listens. */
export async function startServer(
  t: Test,
  directory: string,
  flags: readonly string[],
  fixedPort?: number,
): Promise<RedisServer> {
  for (let attempt = 1; ; attempt++) {
    const port = fixedPort ?? (await freePort());
    // `PORT` stands for the port where it is not the plain one (TLS).
    const given = flags.map((flag) => flag.replace('PORT', String(port)));
    const plain = flags.some((flag) => flag.includes('PORT')) ? [] : ['--port', String(port)];
    const base = ['--bind', '127.0.0.1', '--dir', directory, '--save', '', '--loglevel', 'warning'];
    const sentinel = given[0]?.endsWith('.conf') === true;
    const args = sentinel ? [...given] : [...base, ...plain, ...given];
    const child = spawn(PROGRAM, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    killAtExit(child);
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    t.teardown(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGCONT');
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    if (await listens(port, child)) return { port, process: child };
    if (attempt === TRIES) throw new Error(`redis-server did not start: ${said}`);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function listens(port: number, child: ChildProcess): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    const socket = createConnection(port, '127.0.0.1');
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (open) return true;
    await sleep(20);
  }
  return false;
}

/** Our own connection, after its first attempt; the test's end closes it. */
export async function connect(
  t: Test,
  settings: Partial<ConnectionSettings> & { url: string },
): Promise<RedisConnection> {
  const connection = await connectRedis({ keyPrefix: 'preamble:', ...settings });
  t.teardown(() => connection.close());
  await connection.settled;
  return connection;
}

/** Waits until something is so; a test that waits in vain ends by tap's own timeout. */
export async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await sleep(10);
}

export const untilConnected = (connection: RedisConnection) => until(() => connection.state().status === 'connected');
export const untilDegraded = (connection: RedisConnection) => until(() => connection.state().status === 'degraded');
