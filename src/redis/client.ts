import type { ConnectionOptions } from 'node:tls';
import { Cluster, type CommonRedisOptions, Redis } from 'ioredis';
import type { RedisAddress } from './address.ts';
import { reconnectDelay } from './backoff.ts';
import type { RedisCredentials } from './credentials.ts';

/** Milliseconds to connect and to shake hands, TLS included. */
const CONNECT_TIMEOUT_MS = 2_000;
/** A connection with commands on it and no byte back for this long is dead: a firewall dropped it, or its machine is gone. */
const SILENT_SOCKET_MS = 10_000;
/** Redirections and new attempts of one command while a cluster changes shape; with the delays below, less than its time runs out in. */
const MAX_REDIRECTIONS = 4;
const CLUSTER_RETRY_MS = 100;
/** Sentinels are asked for the master's address; each has this long to answer. */
const SENTINEL_TIMEOUT_MS = 1_000;

export type RedisClient = Redis | Cluster;

/**
 * A client that reconnects for as long as it lives and holds nothing back meanwhile: a command without a connection fails at once, and one that
 * was under way when the connection broke is not sent again, as it may have been carried out.
 */
export function createClient(address: RedisAddress, credentials: RedisCredentials): RedisClient {
  const common = commonOptions(address, credentials);
  if (address.kind === 'cluster') {
    return new Cluster([...address.hosts], {
      redisOptions: common,
      lazyConnect: true,
      enableOfflineQueue: false,
      clusterRetryStrategy: (attempts) => reconnectDelay(attempts),
      maxRedirections: MAX_REDIRECTIONS,
      retryDelayOnFailover: CLUSTER_RETRY_MS,
      retryDelayOnClusterDown: CLUSTER_RETRY_MS,
      retryDelayOnTryAgain: CLUSTER_RETRY_MS,
      slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
      // Names are kept as they are: a certificate is for the name, not for the address behind it.
      dnsLookup: (host, done) => done(null, host),
    });
  }
  const reconnecting = { retryStrategy: reconnectDelay, reconnectOnError: isFormerMaster };
  return new Redis({ ...common, ...reconnecting, ...placeOf(address, credentials) });
}

/** One connection for messages, that ends when it breaks: {@link subscribe} makes another. `turn` picks a node of a cluster. */
export function createSubscriber(address: RedisAddress, credentials: RedisCredentials, turn: number): Redis {
  const common = { ...commonOptions(address, credentials), retryStrategy: null, autoResubscribe: false };
  if (address.kind !== 'cluster') {
    return new Redis({ ...common, ...placeOf(address, credentials), sentinelRetryStrategy: () => null });
  }
  // Every node of a cluster hands on every message.
  const { host, port } = address.hosts[turn % address.hosts.length] ?? address.hosts[0];
  return new Redis({ ...common, host, port, enableReadyCheck: false });
}

function placeOf(address: Exclude<RedisAddress, { kind: 'cluster' }>, credentials: RedisCredentials) {
  const { database: db, hosts } = address;
  // The ready check asks for INFO, which not every ACL user may; the probe finds out the same. Sentinel mode needs it, to tell master from replica.
  if (address.kind === 'server') return { ...hosts[0], db, enableReadyCheck: false };
  return {
    sentinels: [...hosts],
    name: address.master,
    db,
    sentinelRetryStrategy: reconnectDelay,
    sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
    ...(credentials.sentinelUsername === null ? {} : { sentinelUsername: credentials.sentinelUsername }),
    ...(credentials.sentinelPassword === null ? {} : { sentinelPassword: credentials.sentinelPassword }),
    ...(address.tls ? { enableTLSForSentinelMode: true, sentinelTLS: tlsOptions(credentials) } : {}),
  };
}

function commonOptions(address: RedisAddress, credentials: RedisCredentials) {
  const { username, password } = credentials;
  return {
    lazyConnect: true,
    // Proxies and forks that know no RESP3 are many, and nothing here needs it.
    protocol: 2,
    connectionName: 'preamble',
    disableClientInfo: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENT_SOCKET_MS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // With a name, as the form without one is answered with an error by a server without a password.
    ...(password === null ? {} : { username: username ?? 'default', password }),
    ...(address.tls ? { tls: tlsOptions(credentials) } : {}),
  } satisfies CommonRedisOptions & { tls?: ConnectionOptions };
}

function tlsOptions({ authorities }: RedisCredentials): ConnectionOptions {
  return authorities === null ? {} : { ca: authorities };
}

/** After a failover behind the same address, or before the sentinels have noticed, the old master says so. */
function isFormerMaster(error: Error): boolean {
  return error.message.startsWith('READONLY');
}
