import { hash } from 'node:crypto';
import { everyone, type TenantPolicy } from '../../src/policy/snapshot.ts';
import { tenantOfKey } from '../../src/policy/tenant-of-key.ts';
import { type Spread, spread } from '../statistics.ts';

const TENANTS = [1, 100, 10_000] as const;
const ROUNDS = 7;
const LOOK_UPS = 300;

export interface KeyCost {
  readonly tenants: number;
  /** To find out whose key a request carries. */
  readonly microseconds: Spread;
}

/** What it costs a gateway to know a tenant by its key, of many. Processor time: what else runs takes no part in it. */
export function measureKeys(): KeyCost[] {
  return TENANTS.map((tenants) => {
    const entries = Array.from({ length: tenants }, (_, index): [string, TenantPolicy] => [
      hash('sha256', `pmb_${index}`),
      { ...everyone, id: `tenant-${index}` },
    ]);
    const known = new Map(entries);
    const samples: number[] = [];
    // The first one is for the compiler, and for what is made once of a snapshot.
    for (let round = -1; round < ROUNDS; round++) {
      const before = process.cpuUsage();
      for (let count = 0; count < LOOK_UPS; count++) tenantOfKey(known, `Bearer pmb_${(count * 7919) % tenants}`);
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) samples.push((user + system) / LOOK_UPS);
    }
    return { tenants, microseconds: spread(samples) };
  });
}
