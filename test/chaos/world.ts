import type { TestRedis } from '../helpers/redis.ts';
import type { Draws } from './draws.ts';
import type { ModelServer } from './fleet.ts';
import type { GatewayProcess } from './gateway-process.ts';
import type { Ledger, Life } from './ledger.ts';
import type { Load } from './load.ts';
import type { Promotions } from './promotions.ts';
import type { ChangingSettings } from './settings.ts';
import type { Timeline } from './timeline.ts';

/** A place where a gateway runs, one after the other. */
export interface Place {
  readonly name: string;
  process: GatewayProcess | null;
  life: Life | null;
  /** Whether the balancer in front sends it requests. */
  inRotation: boolean;
  start(): Promise<void>;
}

/** Everything that can be broken, and what it is judged by. */
export interface World {
  readonly draws: Draws;
  readonly ledger: Ledger;
  readonly load: Load;
  readonly redis: TestRedis;
  readonly fleet: readonly ModelServer[];
  /** The first is never ended: its memory is watched. */
  readonly places: readonly Place[];
  readonly promotions: Promotions;
  readonly pinned: Timeline;
  readonly settings: ChangingSettings;
  writeSettings(): Promise<void>;
  breakSettings(text: string): Promise<void>;
  nextVersion(): string;
  readonly calm: Calm;
}

/** Since when nothing has been broken that gateways need to follow a promotion. */
export interface Calm {
  since(): number;
  disturb(): () => void;
}

export function createCalm(): Calm {
  let disturbed = 0;
  let since = performance.now();
  return {
    since: () => (disturbed > 0 ? Number.POSITIVE_INFINITY : since),
    disturb() {
      disturbed++;
      return () => {
        disturbed--;
        since = performance.now();
      };
    },
  };
}
