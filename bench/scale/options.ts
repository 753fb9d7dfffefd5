import { parseArgs } from 'node:util';

export const partNames = ['operations', 'gateways', 'limits', 'streams', 'keys'] as const;
export type PartName = (typeof partNames)[number];

export interface ScaleOptions {
  readonly only: readonly PartName[];
  /** Requests a second to each gateway. */
  readonly rate: number;
  readonly rounds: number;
  readonly seconds: number;
  /** Requests to each gateway before anything is measured. */
  readonly warmUp: number;
  readonly json: boolean;
}

const HELP = `usage: npm run bench -- scale [FLAGS]

One to four gateways before one Redis and two mock model servers. On two cores four gateways can't be shown to do four times the work;
what is shown is that a request takes as much processor time of its gateway and of Redis, however many gateways there are.

  --only NAMES     of ${partNames.join(', ')} (default: all)
  --rate N         requests a second to each gateway (default 50)
  --rounds N       rounds with one, two and four gateways (default 5)
  --seconds N      length of one measurement (default 15)
  --warm-up N      requests to each gateway beforehand (default 3000)
  --json           every measurement, as JSON
  --help

Needs Linux, taskset and redis-server (Debian: apt-get install redis-server).
`;

/** Null where help was asked for. Throws on what is not known. */
export function parseOptions(flags: readonly string[]): ScaleOptions | null {
  const { values } = parseArgs({
    args: [...flags],
    options: {
      only: { type: 'string' },
      rate: { type: 'string', default: '50' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '15' },
      'warm-up': { type: 'string', default: '3000' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return null;
  }
  const named = values.only?.split(',') ?? partNames;
  const unknown = named.find((name) => !partNames.some((known) => known === name));
  if (unknown !== undefined) throw new Error(`There is no ${unknown}; there are: ${partNames.join(', ')}.`);
  return {
    only: partNames.filter((name) => named.includes(name)),
    rate: positive(values.rate, '--rate'),
    rounds: positive(values.rounds, '--rounds'),
    seconds: positive(values.seconds, '--seconds'),
    warmUp: positive(values['warm-up'], '--warm-up'),
    json: values.json,
  };
}

function positive(text: string, flag: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new Error(`${flag} takes a number above 0.`);
  return value;
}
