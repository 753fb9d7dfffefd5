import type { RedisSettings } from '../config/schema/redis.ts';
import { parseRedisUrl } from './address.ts';
import { createClient, type RedisClient } from './client.ts';
import { readRedisCredentials } from './credentials.ts';
import { describeFailure, RedisTimeout, redisUnavailable } from './failure.ts';
import { type RedisKeys, redisKeys } from './keys.ts';
import { subscribe } from './subscription.ts';

/** An answer comes within a millisecond or two; a request that waits for its limits should not wait longer than this. */
const COMMAND_TIMEOUT_MS = 500;
/** How often Redis is asked whether it still takes writes. */
const PROBE_INTERVAL_MS = 1_000;
/** Seconds after which the probe's key is gone, when no gateway is there any more. */
const PROBE_EXPIRY_SECONDS = 60;

export type RedisState =
  | { readonly status: 'connected' }
  | {
      readonly status: 'degraded';
      /** Half a sentence: `the connection was refused`. */
      readonly reason: string;
      readonly since: Date;
    };

export interface RedisConnection {
  readonly keys: RedisKeys;
  state(): RedisState;
  /** Resolves when the first attempt to reach Redis has ended, either way. */
  readonly settled: Promise<void>;
  /** Called after each change between connected and degraded. Returns how to end that. */
  onChange(listener: (state: RedisState) => void): () => void;
  /**
   * Runs commands, and gives up after `timeoutMs`. While degraded it fails at once: nobody waits for a Redis that is known not to answer.
   * Throws `redis_unavailable`, without a trace of what was sent.
   */
  run<Result>(operation: (client: RedisClient) => Promise<Result>, timeoutMs?: number): Promise<Result>;
  /** Hears what is published on a channel, from the first moment on that it can, and after each reconnection. Messages may be missed. */
  subscribe(channel: string, onMessage: (message: string) => void): void;
  /** Fires when it is closed. */
  readonly closed: AbortSignal;
  close(): Promise<void>;
}

export type ConnectionSettings = Omit<RedisSettings, 'onUnavailable' | 'responseSeconds'>;

/** Begins to connect, and goes on until it is closed. Throws `config_invalid`, `file_unreadable` for settings that can't be used. */
export async function connectRedis(settings: ConnectionSettings): Promise<RedisConnection> {
  const address = parseRedisUrl(settings.url);
  const credentials = await readRedisCredentials(settings);
  const keys = redisKeys(settings.keyPrefix);
  const client = createClient(address, credentials);
  const listeners = new Set<(state: RedisState) => void>();
  /** By channel: one connection serves all who listen. */
  const hearing = new Map<string, Set<(message: string) => void>>();
  const closing = new AbortController();
  const { promise: settled, resolve: settle } = Promise.withResolvers<void>();
  let state: RedisState = { status: 'degraded', reason: 'the first connection is being made', since: new Date() };
  let probing = false;

  function enter(next: RedisState): void {
    const changed = next.status !== state.status;
    // The first reason is the one that a person wants to read; what follows (no connection) says less. A wrong password found later says more.
    if (changed || next.status === 'degraded') {
      const since = next.status === 'degraded' && state.status === 'degraded' ? state.since : new Date();
      state = next.status === 'degraded' ? { ...next, since } : next;
    }
    settle();
    if (changed) for (const listener of listeners) listener(state);
  }

  function degrade(error: unknown): void {
    if (closing.signal.aborted) return;
    const { reason } = describeFailure(error);
    enter({ status: 'degraded', reason, since: new Date() });
  }

  /** A write, as a replica, a full memory and a full disk answer reads. */
  async function probe(): Promise<void> {
    if (probing || closing.signal.aborted || client.status !== 'ready') return;
    probing = true;
    try {
      const write = client.set(keys.probe, '1', 'EX', PROBE_EXPIRY_SECONDS);
      await within(COMMAND_TIMEOUT_MS, write);
      if (!closing.signal.aborted) enter({ status: 'connected' });
    } catch (error) {
      degrade(error);
    } finally {
      probing = false;
    }
  }

  client.on('error', degrade);
  client.on('node error', noteNode);
  client.on('close', () => {
    // Else the reason is known already, and closed is what the first attempt ends with.
    if (state.status === 'connected') degrade(new Error('closed'));
    else settle();
  });
  client.on('ready', () => void probe());
  // Failures come as events too.
  client.connect().catch(() => {});
  const timer = setInterval(() => void probe(), PROBE_INTERVAL_MS).unref();

  /** One node of several may fail without harm; while none answers, its reason (a wrong password, say) is the best that there is. */
  function noteNode(error: unknown): void {
    if (state.status === 'degraded') state = { ...state, reason: describeFailure(error).reason };
  }

  return {
    keys,
    state: () => state,
    settled,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async run(operation, timeoutMs = COMMAND_TIMEOUT_MS) {
      if (state.status === 'degraded') throw redisUnavailable(state.reason);
      try {
        return await within(timeoutMs, operation(client));
      } catch (error) {
        const { reason, everything } = describeFailure(error);
        if (everything) degrade(error);
        throw redisUnavailable(reason);
      }
    },
    subscribe(channel, onMessage) {
      const known = hearing.get(channel);
      const all = known ?? new Set();
      all.add(onMessage);
      if (known !== undefined) return;
      hearing.set(channel, all);
      const tellAll = (message: string) => {
        for (const each of all) each(message);
      };
      void subscribe({ address, credentials, channel, onMessage: tellAll, signal: closing.signal });
    },
    closed: closing.signal,
    async close() {
      closing.abort();
      clearInterval(timer);
      listeners.clear();
      client.disconnect();
    },
  };
}

/** What comes after the time is over, an error too, is nobody's. */
async function within<Result>(milliseconds: number, work: Promise<Result>): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new RedisTimeout('no answer in time')), milliseconds);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
