import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisAddress } from './address.ts';
import { reconnectDelay } from './backoff.ts';
import { createSubscriber } from './client.ts';
import type { RedisCredentials } from './credentials.ts';

export interface Subscription {
  readonly address: RedisAddress;
  readonly credentials: RedisCredentials;
  readonly channel: string;
  onMessage(message: string): void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Listens on a channel over a connection of its own, and makes another when that ends, until the signal fires. ioredis' own subscriber of a
 * cluster makes the next attempt at once and for ever; here all attempts wait their turn. That Redis is away is told by the other connection.
 */
export async function subscribe({ address, credentials, channel, onMessage, signal }: Subscription): Promise<void> {
  let attempts = 0;
  for (let turn = 0; !signal.aborted; turn++) {
    const client = createSubscriber(address, credentials, turn);
    const stop = () => client.disconnect();
    signal.addEventListener('abort', stop, { once: true });
    try {
      client.on('error', () => {});
      client.on('message', (from: string, message: string) => {
        if (from === channel) onMessage(message);
      });
      const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
      await client.connect();
      await client.subscribe(channel);
      attempts = 0;
      await ended;
    } catch {
      // The reason is the same as the other connection's, which tells it.
    } finally {
      signal.removeEventListener('abort', stop);
      client.disconnect();
    }
    attempts++;
    await sleep(reconnectDelay(attempts), undefined, { signal, ref: false }).catch(() => {});
  }
}
