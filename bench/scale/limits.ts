import { setTimeout as sleep } from 'node:timers/promises';
import { createRawClient, requestBytes } from '../gateway/raw-client.ts';
import { MODEL, streamBody } from '../gateway/wire.ts';
import { type BenchGateway, headersOf, NEAR } from './fleet.ts';
import type { BenchRedis } from './redis.ts';
import { sendAll } from './requests.ts';

/** How many times more is asked for than is granted. */
const TIMES_OVER = 3;
/** At 20 ms a token, longer than it takes to ask all gateways, on a full machine too. */
const STREAM_TOKENS = 6_000;
const ANSWER_MS = 60_000;

export interface Exactness {
  readonly limit: string;
  readonly asked: number;
  readonly granted: number;
  /** What one counter would have granted, at least and at most. */
  readonly least: number;
  readonly most: number;
}

/** Whether all gateways together grant what one would. */
export async function measureLimits(gateways: readonly BenchGateway[], redis: BenchRedis): Promise<Exactness[]> {
  return [await requests(gateways, redis), await streams(gateways)];
}

async function requests(gateways: readonly BenchGateway[], redis: BenchRedis): Promise<Exactness> {
  const { requestsPerMinute: limit } = NEAR;
  const each = Math.ceil((limit * TIMES_OVER) / gateways.length);
  const since = await redisSeconds(redis);
  const { answered, failed } = await sendAll(gateways, { tenant: 'near-requests', model: MODEL }, each);
  const flowed = (((await redisSeconds(redis)) - since) * limit) / 60;
  // A bucket that is full at first, and flows full again while it is asked.
  const most = limit + Math.ceil(flowed);
  return {
    limit: `${limit} requests a minute`,
    asked: answered,
    granted: answered - failed,
    least: Math.min(answered, limit),
    most,
  };
}

/** By the clock of Redis, which counts. */
async function redisSeconds({ client }: BenchRedis): Promise<number> {
  const [seconds = 0, microseconds = 0] = (await client.time()).map(Number);
  return seconds + microseconds / 1e6;
}

async function streams(gateways: readonly BenchGateway[]): Promise<Exactness> {
  const { streams: limit } = NEAR;
  const each = Math.ceil((limit * TIMES_OVER) / gateways.length);
  const clients = gateways.flatMap(({ port }) =>
    Array.from({ length: each }, () => ({ port, raw: createRawClient(port) })),
  );
  let granted = 0;
  let refused = 0;
  for (const { port, raw } of clients) {
    const body = streamBody(MODEL, STREAM_TOKENS);
    let begun = false;
    raw.send(requestBytes({ port, headers: headersOf('near-streams'), body }), {
      bytes: () => {
        if (!begun) granted++;
        begun = true;
      },
      end: (status) => {
        if (status === 200) return;
        granted--;
        refused++;
      },
      broken: () => {},
    });
  }
  const deadline = performance.now() + ANSWER_MS;
  while (granted + refused < clients.length && performance.now() < deadline) await sleep(50);
  const found = granted;
  for (const { raw } of clients) raw.close();
  return { limit: `${limit} answers at a time`, asked: clients.length, granted: found, least: limit, most: limit };
}
