import { parseArgs } from 'node:util';
import { availableTargets } from './targets.ts';

export const scenarioNames = ['small', 'text', 'embeddings', 'virtual', 'latency', 'first-byte', 'streams'] as const;
export type ScenarioName = (typeof scenarioNames)[number];

export interface BenchOptions {
  readonly only: readonly ScenarioName[];
  readonly targets: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly streamSeconds: number;
  readonly profile: string | null;
  readonly json: boolean;
}

const HELP = `usage: npm run bench -- gateway [FLAGS]

The gateway has core 0, the mock model server and the load core 1; rounds alternate between the targets.

  --only NAMES         of ${scenarioNames.join(', ')} (default: all)
  --targets NAMES      of ${availableTargets.join(', ')} (default: all but litellm)
  --rounds N           rounds of each scenario (default 5)
  --seconds N          length of one measurement (default 4)
  --stream-seconds N   length of the run with 1,000 streams (default 60; the memory figure is meant for 600)
  --profile DIR        run Preamble under --cpu-prof, leave the profile in DIR and print its hottest functions
  --json               every measurement, as JSON
  --help

Needs Linux, two cores, taskset and wrk; nginx where it is installed (Debian: apt-get install nginx wrk).
`;

/** Null where help was asked for. Throws on what is not known. */
export function parseOptions(flags: readonly string[]): BenchOptions | null {
  const { values } = parseArgs({
    args: [...flags],
    options: {
      only: { type: 'string' },
      targets: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '4' },
      'stream-seconds': { type: 'string', default: '60' },
      profile: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return null;
  }
  return {
    only: chosen(values.only, scenarioNames),
    targets: chosen(values.targets, availableTargets, (name) => name !== 'litellm'),
    rounds: positive(values.rounds, '--rounds'),
    seconds: positive(values.seconds, '--seconds'),
    streamSeconds: positive(values['stream-seconds'], '--stream-seconds'),
    profile: values.profile ?? null,
    json: values.json,
  };
}

function chosen<Name extends string>(
  list: string | undefined,
  known: readonly Name[],
  byDefault: (name: Name) => boolean = () => true,
): readonly Name[] {
  if (list === undefined) return known.filter(byDefault);
  const names = list.split(',');
  const unknown = names.find((name) => !known.some((other) => other === name));
  if (unknown !== undefined) throw new Error(`There is no ${unknown}; there are: ${known.join(', ')}.`);
  return known.filter((name) => names.includes(name));
}

function positive(text: string, flag: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new Error(`${flag} takes a number above 0.`);
  return value;
}
