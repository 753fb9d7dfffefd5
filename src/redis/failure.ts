import { PreambleError } from '../errors.ts';

/** What went wrong, for people; and whether Redis as a whole is of no use now. */
export interface Failure {
  /** Half a sentence, without anything that was sent or received. */
  readonly reason: string;
  readonly everything: boolean;
}

/** An operation took longer than it may. */
export class RedisTimeout extends Error {
  override readonly name = 'RedisTimeout';
}

/** The first word of an error reply says its kind (Redis' documentation of the protocol). These concern every command, not the one that met them. */
const REPLIES: Readonly<Record<string, string>> = {
  NOAUTH: 'it asks for a password (redis.password)',
  WRONGPASS: 'the user name or password is wrong (redis.username, redis.password)',
  NOPERM: 'the user lacks a permission (docs/redis.md lists what is needed)',
  LOADING: 'it is still loading its data',
  READONLY: 'it is a replica, which takes no writes',
  MASTERDOWN: 'its master is down',
  CLUSTERDOWN: 'the cluster is down',
  MISCONF: 'it can not save its data and takes no writes',
  OOM: 'its memory is full',
  DENIED: 'it refuses connections in protected mode',
};

/** What the system or TLS says by its code. */
const CODES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was broken off',
  EPIPE: 'the connection was broken off',
  ETIMEDOUT: 'the connection took too long',
  EHOSTUNREACH: 'the host can not be reached',
  ENETUNREACH: 'the network can not be reached',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name could not be looked up',
};

/**
 * Names a failure by its code alone. The text of an error is never passed on, nor the error as a cause: a reply may repeat what it answers,
 * and ioredis hangs the command with its arguments on it, which for AUTH is the password.
 */
export function describeFailure(error: unknown): Failure {
  if (error instanceof RedisTimeout) return { reason: 'it does not answer in time', everything: true };
  if (!(error instanceof Error)) return { reason: 'the connection failed', everything: true };
  const reply = firstWord(error);
  if (reply !== null) {
    return {
      reason: REPLIES[reply] ?? `it answered with the error ${reply}`,
      everything: REPLIES[reply] !== undefined,
    };
  }
  const code = codeOf(error) ?? codeOf(lastError(error));
  if (code === null) return { reason: 'there is no connection', everything: true };
  const tls = /CERT|TLS|SSL|SIGNATURE/.test(code) ? `TLS failed with ${code}` : code;
  return { reason: CODES[code] ?? tls, everything: true };
}

export function redisUnavailable(reason: string): PreambleError {
  return new PreambleError('redis_unavailable', `Redis is not available: ${reason}.`, {
    action: 'Check that it runs and that redis.url is right.',
  });
}

function firstWord(error: Error): string | null {
  if (error.name !== 'ReplyError') return null;
  return /^[A-Z]{2,20}\b/.exec(error.message)?.[0] ?? 'ERR';
}

function codeOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' && /^[A-Z0-9_]{2,60}$/.test(error.code) ? error.code : null;
}

/** A cluster's error carries that of the node that was asked last. */
function lastError(error: Error): unknown {
  if ('lastNodeError' in error) return error.lastNodeError;
  return error instanceof AggregateError ? error.errors[0] : error.cause;
}
