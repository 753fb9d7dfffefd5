import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort, GATEWAY_CORE, startPinned } from '../gateway/processes.ts';
import { stopOrTell } from '../gateway/start-gateway.ts';

/** What a Redis has done so far. */
export interface RedisCounts {
  /** Calls by command, those that scripts make too. */
  readonly calls: ReadonlyMap<string, number>;
  /** Seconds of processor time. */
  readonly processor: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface BenchRedis {
  readonly url: string;
  readonly client: Redis;
  counts(): Promise<RedisCounts>;
  stop(): Promise<void>;
}

/** What gateways send; all other commands are called by their scripts. */
const SENT = new Set(['evalsha', 'eval', 'set', 'get', 'getrange', 'del', 'hstrlen', 'publish', 'smembers']);
const CONNECT_MS = 60_000;

/** A Redis of the bench's own, which writes nothing to disk. */
export async function startBenchRedis(folder: string): Promise<BenchRedis> {
  const port = await freePort();
  const logFile = join(folder, 'redis.log');
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
  const running = startPinned({ core: GATEWAY_CORE, command: 'redis-server', args, logFile });
  const client = new Redis({ port, retryStrategy: () => 100, maxRetriesPerRequest: null, connectTimeout: CONNECT_MS });
  client.on('error', () => {});
  await client.ping();
  return {
    url: `redis://127.0.0.1:${port}`,
    client,
    counts: async () => readCounts(await client.info('all')),
    async stop() {
      client.disconnect();
      await stopOrTell('redis-server', running, logFile);
    },
  };
}

function readCounts(info: string): RedisCounts {
  const number = (name: string) => Number(RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1]);
  const calls = [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(
    ([, name = '', count]) => [name, Number(count)] as const,
  );
  return {
    calls: new Map(calls),
    processor: number('used_cpu_user') + number('used_cpu_sys'),
    bytesIn: number('total_net_input_bytes'),
    bytesOut: number('total_net_output_bytes'),
  };
}

/** Of a span of time, a unit of whatever it is divided by. */
export interface RedisUse {
  readonly roundTrips: number;
  readonly commands: number;
  readonly microseconds: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export function usedBetween(before: RedisCounts, after: RedisCounts): RedisUse {
  const used = [...after.calls].map(([name, count]) => [name, count - (before.calls.get(name) ?? 0)] as const);
  const ours = used.filter(([name]) => name !== 'info');
  const sum = (of: readonly (readonly [string, number])[]) => of.reduce((total, [, count]) => total + count, 0);
  return {
    roundTrips: sum(ours.filter(([name]) => SENT.has(name))),
    commands: sum(ours),
    microseconds: (after.processor - before.processor) * 1e6,
    bytesIn: after.bytesIn - before.bytesIn,
    bytesOut: after.bytesOut - before.bytesOut,
  };
}

/** What is left without what goes on by itself, a request. */
export function perRequest(used: RedisUse, idlePerSecond: RedisUse, seconds: number, requests: number): RedisUse {
  const one = (pick: (use: RedisUse) => number) => (pick(used) - pick(idlePerSecond) * seconds) / requests;
  return {
    roundTrips: one((use) => use.roundTrips),
    commands: one((use) => use.commands),
    microseconds: one((use) => use.microseconds),
    bytesIn: one((use) => use.bytesIn),
    bytesOut: one((use) => use.bytesOut),
  };
}
