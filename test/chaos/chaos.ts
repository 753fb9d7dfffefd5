import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import type { Pool } from 'undici';
import { connect, startRedis, temporaryDirectory, untilConnected } from '../helpers/redis.ts';
import { type Draws, drawsOf } from './draws.ts';
import { type ChaosEvent, eventsFor } from './events.ts';
import { startFleet } from './fleet.ts';
import { type Held, startGatewayProcess } from './gateway-process.ts';
import { createLedger, type Ledger, type Life } from './ledger.ts';
import { createLoad } from './load.ts';
import { createPromotions } from './promotions.ts';
import { breakSettings, writeSettings } from './settings.ts';
import { createTimeline, type Timeline } from './timeline.ts';
import { makePromptVersions, PROMPT } from './versions.ts';
import { createCalm, type Place, type World } from './world.ts';

const SERVERS = 3;
const GATEWAYS = ['lasting', 'mortal'] as const;
const PINNED = ['1.0.0', '1.1.0'] as const;
/** Promoted in turn; who promotes the first again has long been followed. */
const PROMOTED = Array.from({ length: 60 }, (_, index) => `2.${index}.0`);
const EVENTS_AT_A_TIME = 3;
const WARM_UP_MS = 6_000;
/** Kept connections are closed after four seconds without a request; lines of the log come a tenth of a second late. */
const REST_MS = 7_000;
/** All that had to do with a request has been told by then. */
const SETTLE_MS = 20_000;
const CLOSED_MS = 60_000;
const FOLLOWED_MS = 180_000;

export interface ChaosOptions {
  readonly seed: number;
  readonly seconds: number;
  /** So many more than before the events are waited for no longer. */
  readonly socketsMore: number;
  onProgress(line: string): void;
}

export interface ChaosReport {
  /** What must not be; empty. */
  readonly faults: readonly string[];
  /** Requests and decisions by what became of them, and events by name. */
  readonly counts: ReadonlyMap<string, number>;
  /** Of the gateway that lived through it all. */
  readonly before: Held;
  readonly after: Held;
  /** Longest time that an old version was applied while nothing was broken, milliseconds. */
  readonly longestLag: number;
  /** What each gateway said last, for whoever looks for a fault. */
  readonly lastLines: ReadonlyMap<string, string>;
}

/** Real gateways, a real Redis and model servers under load, of which one thing after the other breaks. */
export async function runChaos(
  t: Test,
  { seed, seconds, socketsMore, onProgress }: ChaosOptions,
): Promise<ChaosReport> {
  const { world, timelines } = await setUp(t, seed);
  const { load, ledger, places, draws } = world;
  const [lasting] = places;
  const counts = new Map<string, number>();

  load.begin();
  await sleep(WARM_UP_MS);
  const before = await rest(world, lasting);

  load.begin();
  const until = performance.now() + seconds * 1000;
  const progress = setInterval(() => {
    ledger.settle(performance.now() - SETTLE_MS);
    const left = Math.max(0, Math.round((until - performance.now()) / 1000));
    const done = [...ledger.counts].reduce(
      (sum, [what, count]) => (what.startsWith('decision') ? sum : sum + count),
      0,
    );
    onProgress(`${left} s left, ${done} requests, ${ledger.open()} under way, ${ledger.faults.length} faults`);
  }, 5_000);
  await happen(world, until, drawsOf(draws.below(2 ** 31)), (event) => {
    counts.set(event.name, (counts.get(event.name) ?? 0) + 1);
    onProgress(event.name);
  });

  await followLast(world, timelines);
  clearInterval(progress);
  const after = await restUntil(world, lasting, before.sockets + socketsMore);
  ledger.settle(Number.POSITIVE_INFINITY);
  if (ledger.open() > 0) ledger.blame(`${ledger.open()} requests never ended`);
  const longestLag = timelines.get('chat')?.longestLag() ?? 0;
  const lastLines = new Map(places.map(({ name, process }) => [name, process?.lastLines() ?? '']));
  return {
    faults: ledger.faults,
    counts: new Map([...ledger.counts, ...counts]),
    before,
    after,
    longestLag,
    lastLines,
  };
}

/** Nothing runs any more: what it still holds then is its own. */
async function rest({ load }: World, place: Place | undefined): Promise<Held> {
  await load.stop();
  await sleep(REST_MS);
  const held = await place?.process?.held();
  if (held === undefined) throw new Error('the lasting gateway is gone');
  return held;
}

/** A full machine closes what nobody uses late; what is never closed is still there at the end. */
async function restUntil(world: World, place: Place | undefined, sockets: number): Promise<Held> {
  const deadline = performance.now() + CLOSED_MS;
  let held = await rest(world, place);
  while (held.sockets > sockets && performance.now() < deadline) held = await rest(world, place);
  return held;
}

/** Some events at a time, none of which needs what another has. */
async function happen(world: World, until: number, draws: Draws, onEvent: (event: ChaosEvent) => void): Promise<void> {
  const events = eventsFor(SERVERS);
  const taken = new Set<string>();
  const running = new Set<Promise<void>>();
  while (performance.now() < until) {
    await sleep(draws.between(100, 900));
    if (running.size >= EVENTS_AT_A_TIME) {
      await Promise.race(running);
      continue;
    }
    const event = draws.pick(events.flatMap((one) => Array.from({ length: one.weight }, () => one)));
    if (event.needs.some((need) => taken.has(need))) continue;
    for (const need of event.needs) taken.add(need);
    onEvent(event);
    const one: Promise<void> = event
      .run(world)
      .catch((error: unknown) => world.ledger.blame(`${event.name}: ${error instanceof Error ? error.message : error}`))
      .finally(() => {
        for (const need of event.needs) taken.delete(need);
        running.delete(one);
      });
    running.add(one);
  }
  await Promise.all(running);
}

/** With everything there again, a last promotion and the last settings must reach every gateway. */
async function followLast(world: World, timelines: ReadonlyMap<string, Timeline>): Promise<void> {
  const { promotions, nextVersion, ledger, places } = world;
  const deadline = performance.now() + FOLLOWED_MS;
  while (!(await promotions.promote(nextVersion())) && performance.now() < deadline) await sleep(200);
  for (const { name, process } of places) {
    for (const [model, timeline] of timelines) {
      const wanted = `${PROMPT}@${timeline.latest()}`;
      let found = '';
      while (found !== wanted && performance.now() < deadline) {
        if (found !== '') await sleep(200);
        found = process === null ? '' : await labelNow(process.connections, model);
      }
      if (found !== wanted)
        ledger.blame(`${name} has ${found} in front of ${model}, not ${wanted}, when all is well again`);
    }
  }
}

/** As nobody's question: model servers answer it as they do probes. */
async function labelNow(connections: Pool, model: string): Promise<string> {
  const response = await connections.request({
    method: 'POST',
    path: '/v1/chat/completions',
    headers: { 'content-type': 'application/json', authorization: 'Bearer pmb_none', 'x-request-id': 'aside' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hi' }] }),
  });
  const text = await response.body.text();
  return response.statusCode === 200 ? String(response.headers['x-preamble-prompt'] ?? 'none') : text;
}

async function setUp(t: Test, seed: number): Promise<{ world: World; timelines: ReadonlyMap<string, Timeline> }> {
  const draws = drawsOf(seed);
  const [first = '', ...others] = PROMOTED;
  const folder = await temporaryDirectory(t);
  const versions = await makePromptVersions(join(folder, 'all'), [...PINNED, ...PROMOTED]);
  for (const version of PINNED) {
    const place = join(PROMPT, version);
    await cp(join(folder, 'all', place), join(folder, 'prompts', place), { recursive: true });
  }
  // What it has said is on its disk before it is answered.
  const redis = await startRedis(t, ['--appendonly', 'yes', '--appendfsync', 'always']);
  const connection = await connect(t, { url: redis.url });
  await untilConnected(connection);
  const timelines = new Map([
    ['chat', createTimeline(first)],
    ['pinned', createTimeline(PINNED[0])],
  ]);
  const [chat, pinned] = [...timelines.values()];
  if (chat === undefined || pinned === undefined) throw new RangeError('no timeline');
  const ledger = createLedger(timelines);
  const promotions = createPromotions(connection, versions, chat);
  await promotions.promote(first);
  const calm = createCalm();
  const fleet = await startFleet(t, {
    count: SERVERS,
    draws: drawsOf(draws.below(2 ** 31)),
    onQuestion: (id, body) => ledger.applied(id, versions.of(body), calm.since()),
  });
  const fixed = {
    file: join(folder, 'preamble.yaml'),
    servers: fleet.map(({ fake }) => fake.origin),
    redis: redis.url,
  };
  const settings: World['settings'] = { pinned: PINNED[0], connections: 512 };
  await writeSettings(fixed, settings);
  const places = await Promise.all(GATEWAYS.map((name) => openPlace(t, name, fixed.file, ledger)));
  let promoted = 0;
  const world: World = {
    draws,
    ledger,
    load: createLoad(places, ledger, drawsOf(draws.below(2 ** 31))),
    redis,
    fleet,
    places,
    promotions,
    pinned,
    settings,
    calm,
    writeSettings: () => writeSettings(fixed, settings),
    breakSettings: (text) => breakSettings(fixed, text),
    nextVersion: () => others[promoted++ % others.length] ?? first,
  };
  return { world, timelines };
}

async function openPlace(t: Test, name: string, config: string, ledger: Ledger): Promise<Place> {
  const cache = await temporaryDirectory(t);
  const place: Place = {
    name,
    process: null,
    life: null,
    inRotation: false,
    async start() {
      let connectedSince = Number.POSITIVE_INFINITY;
      const onLine = (line: Record<string, unknown>) => {
        if (line['event'] === 'redis.connected') connectedSince = performance.now();
        if (line['event'] === 'redis.degraded') connectedSince = Number.POSITIVE_INFINITY;
        if (line['event'] === 'refusal.decision' && line['requestId'] !== 'aside') ledger.decided(line);
        if (Number(line['level']) >= 60) ledger.blame(`${name} says: ${JSON.stringify(line)}`);
      };
      const process = await startGatewayProcess(t, { config, cache, onLine });
      place.process = process;
      place.life = {
        gateway: name,
        ending: () => process.ending,
        connectedSince: () => connectedSince,
      } satisfies Life;
      await process.ready();
      place.inRotation = true;
    },
  };
  await place.start();
  return place;
}
