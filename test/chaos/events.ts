import { setTimeout as sleep } from 'node:timers/promises';
import { BROKEN } from './settings.ts';
import type { Place, World } from './world.ts';

/** Something that happens to one part, until it is over again. */
export interface ChaosEvent {
  readonly name: string;
  /** How often it is drawn, beside the others. */
  readonly weight: number;
  /** What no other event may touch meanwhile. */
  readonly needs: readonly string[];
  run(world: World): Promise<void>;
}

/** A balancer hears of an ending gateway by its readiness, and a little late. */
const LEAVES_ROTATION_MS = 200;
const HOUR_MS = 3_600_000;
/** Longer than settings take to be seen: half a second between two looks, a quarter until they are read. */
const SETTINGS_SEEN_MS = 1_500;
const STALLED_STREAMS = 12;

const whileDisturbed = async ({ calm }: World, work: () => Promise<void>) => {
  const over = calm.disturb();
  try {
    await work();
  } finally {
    over();
  }
};

const redisIsKilled = (world: World, comesBack: () => Promise<unknown>) =>
  whileDisturbed(world, async () => {
    await world.redis.kill();
    await sleep(world.draws.between(300, 4000));
    await world.redis.restart();
    await comesBack();
  });

async function restart(world: World, place: Place, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const { process } = place;
  if (process === null) return;
  const ended = process.end(signal);
  if (signal === 'SIGTERM') await sleep(LEAVES_ROTATION_MS);
  place.inRotation = false;
  const how = await ended;
  if (signal === 'SIGTERM' && how !== 0) world.ledger.blame(`${place.name} ended with ${how} on SIGTERM`);
  await place.start();
}

/** The last of them is the one that comes and goes. */
const mortal = ({ places }: World): Place => places.at(-1) ?? places[0] ?? raise();
const anyPlace = ({ draws, places }: World) => draws.pick(places);

function raise(): never {
  throw new RangeError('no gateway');
}

const ofServer = (index: number): ChaosEvent[] => {
  const needs = [`server ${index}`];
  const moody = (name: string, mood: 'mute' | 'sick', weight: number): ChaosEvent => ({
    name: `model server ${index} ${name}`,
    weight,
    needs,
    run: (world) =>
      whileDisturbed(world, async () => {
        const server = world.fleet[index];
        if (server === undefined) return;
        server.mood = mood;
        // Its list of models comes no more, either.
        if (mood === 'mute') server.fake.modelsScript = () => {};
        await sleep(world.draws.between(500, 4000));
        server.mood = 'well';
        server.fake.modelsScript = null;
      }),
  });
  const killed: ChaosEvent = {
    name: `model server ${index} is killed and comes back`,
    weight: 2,
    needs,
    run: (world) =>
      whileDisturbed(world, async () => {
        await world.fleet[index]?.fake.stop();
        await sleep(world.draws.between(300, 4000));
        await world.fleet[index]?.fake.start();
      }),
  };
  return [killed, moody('answers nothing', 'mute', 1), moody('is sick', 'sick', 3)];
};

export function eventsFor(servers: number): readonly ChaosEvent[] {
  return [
    {
      name: 'Redis is killed and comes back with its data',
      weight: 2,
      needs: ['redis'],
      run: (world) => redisIsKilled(world, async () => {}),
    },
    {
      name: 'Redis is killed and comes back empty',
      weight: 2,
      needs: ['redis'],
      run: (world) => redisIsKilled(world, () => world.redis.client.flushall()),
    },
    {
      name: 'Redis hangs',
      weight: 2,
      needs: ['redis'],
      run: (world) =>
        whileDisturbed(world, async () => {
          world.redis.pause();
          await sleep(world.draws.between(200, 3000));
          world.redis.resume();
        }),
    },
    ...Array.from({ length: servers }, (_, index) => ofServer(index)).flat(),
    {
      name: 'a version is promoted',
      weight: 8,
      needs: ['alias'],
      async run({ promotions, nextVersion }) {
        await promotions.promote(nextVersion());
      },
    },
    {
      name: 'a version is rolled back',
      weight: 4,
      needs: ['alias'],
      async run({ promotions }) {
        await promotions.rollBack();
      },
    },
    {
      name: 'settings pin another version',
      weight: 3,
      needs: ['settings'],
      async run(world) {
        world.settings.pinned = world.settings.pinned === '1.0.0' ? '1.1.0' : '1.0.0';
        // When it takes effect hangs on model servers: it is known only that it may.
        world.pinned.begin(world.settings.pinned);
        await world.writeSettings();
        await sleep(SETTINGS_SEEN_MS);
      },
    },
    {
      name: 'settings make new backends',
      weight: 2,
      needs: ['settings'],
      async run(world) {
        world.settings.connections = world.settings.connections === 512 ? 511 : 512;
        await world.writeSettings();
        await sleep(SETTINGS_SEEN_MS);
      },
    },
    {
      // A gateway that starts meanwhile would rightly not.
      name: 'settings are broken for a while',
      weight: 2,
      needs: ['settings', 'gateway'],
      async run(world) {
        await world.breakSettings(world.draws.pick(BROKEN));
        await sleep(SETTINGS_SEEN_MS);
        await world.writeSettings();
      },
    },
    {
      name: 'a gateway gets SIGHUP',
      weight: 1,
      needs: ['settings', 'gateway'],
      async run(world) {
        anyPlace(world).process?.hangUp();
      },
    },
    {
      name: 'a gateway gets SIGTERM',
      weight: 4,
      needs: ['gateway'],
      run: (world) => restart(world, mortal(world), 'SIGTERM'),
    },
    {
      name: 'a gateway is killed',
      weight: 3,
      needs: ['gateway'],
      run: (world) => restart(world, mortal(world), 'SIGKILL'),
    },
    {
      name: "a gateway's clock jumps",
      weight: 2,
      needs: ['gateway'],
      async run(world) {
        anyPlace(world).process?.turnClock(world.draws.pick([-HOUR_MS, 0, HOUR_MS, 24 * HOUR_MS]));
      },
    },
    {
      name: 'clients do not read',
      weight: 2,
      needs: ['stalled clients'],
      run: (world) => world.load.stall(anyPlace(world), STALLED_STREAMS, world.draws.between(500, 5000)),
    },
  ];
}
