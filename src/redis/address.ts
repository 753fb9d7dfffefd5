import { PreambleError } from '../errors.ts';

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Where Redis is, as `redis.url` says it. */
export type RedisAddress = {
  readonly tls: boolean;
  /** The server; or some nodes of the cluster, or some sentinels: the others are learned from them. */
  readonly hosts: readonly [HostAndPort, ...HostAndPort[]];
} & (
  | { readonly kind: 'server'; readonly database: number }
  | { readonly kind: 'cluster' }
  | { readonly kind: 'sentinel'; readonly master: string; readonly database: number }
);

const REDIS_PORT = 6379;
const SENTINEL_PORT = 26_379;
/** Redis has 16 databases unless told otherwise; nobody has more than these. */
const MAX_DATABASE = 9999;
const URL = /^redis(s?)(?:\+(cluster|sentinel))?:\/\/([^/?#]*)(?:\/([^?#]*))?$/;
const HOST = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?::(\d{1,5}))?$/;

/**
 * Parses `redis.url`. It is never repeated in an error: whoever put a password into it against the rules should not find it in a log.
 * Throws `config_invalid`.
 */
export function parseRedisUrl(url: string): RedisAddress {
  const match = URL.exec(url);
  if (match === null || url.includes('@')) throw invalid('it is not of that form');
  const [, tls, form, authority = '', path = ''] = match;
  const hosts = authority.split(',').map((text) => parseHost(text, form === 'sentinel' ? SENTINEL_PORT : REDIS_PORT));
  const [first, ...others] = hosts;
  if (first === undefined) throw invalid('it names no host');
  const common = { tls: tls === 's', hosts: [first, ...others] } as const;
  const segments = path === '' ? [] : path.split('/');
  switch (form) {
    case 'cluster':
      if (segments.length > 0) throw invalid('a cluster has no databases');
      return { ...common, kind: 'cluster' };
    case 'sentinel': {
      const [master = '', database, ...rest] = segments;
      if (!/^[A-Za-z0-9._-]+$/.test(master) || rest.length > 0) throw invalid('the name of the master is missing');
      return { ...common, kind: 'sentinel', master, database: parseDatabase(database) };
    }
    default: {
      if (others.length > 0) throw invalid('several hosts are a cluster (redis+cluster://) or sentinels');
      const [database, ...rest] = segments;
      if (rest.length > 0) throw invalid('it has too many slashes');
      return { ...common, kind: 'server', database: parseDatabase(database) };
    }
  }
}

function parseHost(text: string, defaultPort: number): HostAndPort {
  const [, host = '', port] = HOST.exec(text) ?? [];
  const number = port === undefined ? defaultPort : Number(port);
  if (host === '' || number < 1 || number > 65_535) throw invalid('a host is not of the form HOST:PORT');
  return { host: host.replace(/^\[|\]$/g, ''), port: number };
}

function parseDatabase(text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  const database = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (!(database <= MAX_DATABASE)) throw invalid('the database is not a small number');
  return database;
}

function invalid(what: string): PreambleError {
  return new PreambleError('config_invalid', `The address of Redis (redis.url, --redis) can't be used: ${what}.`, {
    action:
      'Write redis://HOST:PORT/DB, redis+cluster://HOST:PORT,HOST:PORT or redis+sentinel://HOST:PORT,HOST:PORT/MASTER/DB (rediss for TLS), without a password.',
  });
}
