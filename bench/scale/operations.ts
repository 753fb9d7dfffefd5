import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readArtifactBytes } from '../../src/prompts/artifact.ts';
import { connectRedis, type RedisConnection } from '../../src/redis/connection.ts';
import { promoted } from '../../src/redis/prompts/alias.ts';
import { redisAliases } from '../../src/redis/prompts/aliases.ts';
import { checkArtifact, redisArtifacts } from '../../src/redis/prompts/artifacts.ts';
import { redisRollouts } from '../../src/redis/rollouts.ts';
import { started } from '../../src/rollout/record.ts';
import { writeBenchVersion } from '../gateway/prompts.ts';
import { MODEL } from '../gateway/wire.ts';
import { type BenchGateway, EMBEDDINGS_MODEL, headersOf, ROLLED_MODEL, ROLLED_PROMPT } from './fleet.ts';
import { type BenchRedis, perRequest, type RedisUse, usedBetween } from './redis.ts';
import { type Kind, sendAll } from './requests.ts';
import { difference, usageOf } from './usage.ts';

/** Rates of what goes on by itself need some seconds; counts of commands are exact. */
const IDLE_SECONDS = 10;
const REQUESTS = 400;
/** A prompt takes 820,000 bytes; four gateways at rest, some thousand a second. */
const FETCHED_SECONDS = 6;
const QUIET_BYTES = 20_000;
/** Log lines are gathered for a tenth of a second. */
const LOGGED_MS = 500;

export interface Operations {
  readonly feature: string;
  readonly redis: RedisUse;
  /** Of the gateway: everything it read and wrote, its log included. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly logBytes: number;
}

export interface OperationFigures {
  /** Of one gateway that nobody asks, a second. */
  readonly idle: RedisUse;
  /** The same while a rollout runs. */
  readonly idleInRollout: RedisUse;
  readonly features: readonly Operations[];
}

/** Puts the two versions of the prompt that is rolled out into Redis, so that gateways can be started. */
export async function preparePrompts(folder: string, url: string): Promise<void> {
  await withConnection(url, async (redis) => {
    for (const version of ['1.1.0', '1.0.0']) {
      const { directory, digest } = await writeBenchVersion(join(folder, 'pushed'), ROLLED_PROMPT, version);
      await redisArtifacts(redis).push(checkArtifact(await readArtifactBytes(directory), digest, directory));
      if (version === '1.0.0') {
        await redisAliases(redis).change(ROLLED_PROMPT, (alias) => promoted(alias, { version, digest }, new Date()));
      }
    }
  });
}

/** What each feature costs Redis and the network, by counting what one gateway does for some hundred requests. */
export async function measureOperations(
  gateways: readonly BenchGateway[],
  redis: BenchRedis,
): Promise<OperationFigures> {
  const [gateway] = gateways;
  if (gateway === undefined) throw new Error('There is no gateway.');
  const idleOfAll = await idlePerSecond(redis);
  const one = async (feature: string, work: () => Promise<unknown>, idle = idleOfAll): Promise<Operations> => {
    const [before, used, logged] = [await redis.counts(), await usageOf(gateway.pid), await sizeOf(gateway.logFile)];
    const since = performance.now();
    await work();
    await sleep(LOGGED_MS);
    const seconds = (performance.now() - since) / 1000;
    const use = perRequest(usedBetween(before, await redis.counts()), idle, seconds, REQUESTS);
    const { read, written } = difference(await usageOf(gateway.pid), used);
    const logBytes = ((await sizeOf(gateway.logFile)) - logged) / REQUESTS;
    return { feature, redis: use, bytesRead: read / REQUESTS, bytesWritten: written / REQUESTS, logBytes };
  };
  const chat = (kind: Kind) => () => sendAll([gateway], kind, REQUESTS);
  const features = [
    await one('no limits', chat({ tenant: 'none', model: MODEL })),
    await one('requests limited', chat({ tenant: 'requests', model: MODEL })),
    await one('requests and tokens', chat({ tenant: 'tokens', model: MODEL })),
    await one('requests, tokens, streams', chat({ tenant: 'all', model: MODEL })),
    await one('1.1 MB in front', chat({ tenant: 'none', model: EMBEDDINGS_MODEL })),
    await one('/v1/responses, kept', () => respond(gateway.port, false)),
    await one('/v1/responses, going on', () => respond(gateway.port, true)),
  ];
  await startRollout(redis.url);
  await untilFetched(redis);
  const idleRolling = await idlePerSecond(redis);
  features.push(await one('in a rollout', chat({ tenant: 'none', model: ROLLED_MODEL }), idleRolling));
  const ofOne = (use: RedisUse) => perRequest(use, { ...use, ...zero }, 1, gateways.length);
  return { idle: ofOne(idleOfAll), idleInRollout: ofOne(idleRolling), features };
}

const zero: RedisUse = { roundTrips: 0, commands: 0, microseconds: 0, bytesIn: 0, bytesOut: 0 };

/** Of all gateways together. */
export async function idlePerSecond(redis: BenchRedis): Promise<RedisUse> {
  const before = await redis.counts();
  const since = performance.now();
  await sleep(IDLE_SECONDS * 1000);
  const after = await redis.counts();
  return perRequest(usedBetween(before, after), zero, 1, (performance.now() - since) / 1000);
}

/** Resolves when no gateway fetches the rollout's candidate any more. */
async function untilFetched(redis: BenchRedis): Promise<void> {
  while (true) {
    const before = await redis.counts();
    await sleep(FETCHED_SECONDS * 1000);
    const { bytesOut } = usedBetween(before, await redis.counts());
    if (bytesOut > 0 && bytesOut / FETCHED_SECONDS < QUIET_BYTES) return;
  }
}

/** Conversations of which each turn is kept; `goesOn`: each names the one before. */
async function respond(port: number, goesOn: boolean): Promise<void> {
  let previous: string | null = null;
  for (let turn = 0; turn < REQUESTS; turn++) {
    const response = await fetch(`http://127.0.0.1:${port}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headersOf('none') },
      // Conversations of four turns: one that went on for all would only grow.
      body: JSON.stringify({
        model: MODEL,
        input: 'What should I know before I plant tomatoes?',
        ...(goesOn && previous !== null && { previous_response_id: previous }),
      }),
    });
    const answer: unknown = await response.json();
    if (!response.ok || typeof answer !== 'object' || answer === null) throw new Error(JSON.stringify(answer));
    previous = turn % 4 === 3 ? null : String(Reflect.get(answer, 'id'));
  }
}

async function startRollout(url: string): Promise<void> {
  await withConnection(url, async (redis) => {
    const target = async (version: string) => ({
      version,
      digest: (await redisArtifacts(redis).digestOf(ROLLED_PROMPT, version)) ?? '',
    });
    const [stable, candidate] = [await target('1.0.0'), await target('1.1.0')];
    const wanted = { name: ROLLED_PROMPT, model: null, stable, candidate, shadow: false, until: [], share: 0.5 };
    await redisRollouts(redis).change(ROLLED_PROMPT, (before) => started(before, wanted, new Date()));
  });
}

async function withConnection(url: string, work: (redis: RedisConnection) => Promise<void>): Promise<void> {
  const redis = await connectRedis({ url, keyPrefix: 'preamble:' });
  try {
    await redis.settled;
    while (redis.state().status !== 'connected') await sleep(20);
    await work(redis);
  } finally {
    await redis.close();
  }
}

const sizeOf = async (file: string) => (await stat(file)).size;
