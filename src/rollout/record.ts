import { randomUUID } from 'node:crypto';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { PreambleError } from '../errors.ts';
import { isPromptVersion, MAX_VERSION_LENGTH, promptNamePattern } from '../prompts/name.ts';
import { MAX_CONDITION_LENGTH, MAX_CONDITIONS, parseCondition } from './conditions.ts';

const ROLLOUT_FORMAT = 'preamble.rollout/1';
/** With all conditions and the evidence of an abortion some 5 kB. */
export const MAX_ROLLOUT_BYTES = 64 * 1024;
/** Steps of one rollout: nobody takes more. */
const MAX_SHARES = 100;
/** The larger arm must leave the smaller one something to be held against. */
export const MAX_SHARE = 0.9;

const closed = { additionalProperties: false };
const time = Type.String({ minLength: 20, maxLength: 40 });
const target = Type.Object(
  {
    version: Type.String({ minLength: 5, maxLength: MAX_VERSION_LENGTH }),
    digest: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  },
  closed,
);
const rateOf = Type.Object({ events: Type.Integer({ minimum: 0 }), of: Type.Integer({ minimum: 0 }) }, closed);

const evidenceSchema = Type.Object(
  {
    /** What spoke against the candidate most. */
    guard: Type.String({ maxLength: 40 }),
    candidate: rateOf,
    stable: rateOf,
    /** e-values, by guard, and their mean. */
    byGuard: Type.Record(Type.String({ maxLength: 40 }), Type.Number({ minimum: 0 })),
    mean: Type.Number({ minimum: 0 }),
    limit: Type.Number({ minimum: 1 }),
    /** Requests that the candidate had answered. */
    requests: Type.Integer({ minimum: 0 }),
  },
  closed,
);

const rolloutSchema = Type.Object(
  {
    format: Type.Literal(ROLLOUT_FORMAT),
    /** New for each start. */
    id: Type.String({ pattern: '^[0-9a-f-]{36}$' }),
    /** Of the prompt. */
    name: Type.String({ pattern: promptNamePattern }),
    /** Counts changes, from 1. */
    generation: Type.Integer({ minimum: 1 }),
    /** The configured model that it is limited to; null for all that have this prompt. */
    model: Type.Union([Type.Null(), Type.String({ minLength: 1, maxLength: 200 })]),
    /** What was stable at the start, for people. */
    stable: target,
    candidate: target,
    shadow: Type.Boolean(),
    /** One after the other; the last one holds. */
    shares: Type.Array(Type.Number({ exclusiveMinimum: 0, maximum: 1 }), { minItems: 1, maxItems: MAX_SHARES }),
    /** As written for `--until`. */
    until: Type.Array(Type.String({ maxLength: MAX_CONDITION_LENGTH }), { maxItems: MAX_CONDITIONS }),
    status: Type.Enum(['running', 'promoted', 'aborted']),
    started: time,
    ended: Type.Union([Type.Null(), time]),
    /** Who aborted it. */
    by: Type.Union([Type.Null(), Type.Enum(['guardrail', 'operator'])]),
    evidence: Type.Union([Type.Null(), evidenceSchema]),
  },
  closed,
);

export type Rollout = Static<typeof rolloutSchema>;
export type RolloutEvidence = Static<typeof evidenceSchema>;
export type RolloutTarget = Static<typeof target>;

const checker = Compile(rolloutSchema);

/** Throws `rollout_invalid`. */
export function readRollout(value: unknown, place: string): Rollout {
  if (!checker.Check(value)) throw broken(place, `it is not of the form ${ROLLOUT_FORMAT}`);
  if (![value.stable, value.candidate].every(({ version }) => isPromptVersion(version))) {
    throw broken(place, 'it names what is no version');
  }
  for (const condition of value.until) parseCondition(condition);
  return value;
}

/** Throws `rollout_invalid`. */
export function parseRollout(text: string, place: string): Rollout {
  if (text.length > MAX_ROLLOUT_BYTES) throw broken(place, `it has more than ${MAX_ROLLOUT_BYTES} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw broken(place, 'it is not JSON', cause);
  }
  return readRollout(value, place);
}

export type NewRollout = Pick<Rollout, 'name' | 'model' | 'stable' | 'candidate' | 'shadow' | 'until'> & {
  readonly share: number;
};

/** Throws `rollout_invalid` where one is running. */
export function started(before: Rollout | null, { share, ...wanted }: NewRollout, now: Date): Rollout {
  if (before?.status === 'running') {
    throw new PreambleError(
      'rollout_invalid',
      `${wanted.name} has a rollout already, of ${before.candidate.version}.`,
      {
        action: `End it first: preamble rollout promote ${wanted.name}, or preamble rollout abort ${wanted.name}.`,
      },
    );
  }
  return {
    format: ROLLOUT_FORMAT,
    id: randomUUID(),
    generation: (before?.generation ?? 0) + 1,
    ...wanted,
    shares: [share],
    status: 'running',
    started: now.toISOString(),
    ended: null,
    by: null,
    evidence: null,
  };
}

/** With another share from now on. Throws `rollout_invalid`. */
export function resized(before: Rollout | null, name: string, share: number): Rollout {
  const running = runningOf(before, name);
  if (running.shares.at(-1) === share) return running;
  if (running.shares.length === MAX_SHARES) {
    throw new PreambleError('rollout_invalid', `The share of ${name} has been changed ${MAX_SHARES} times.`, {
      action: 'Abort the rollout, and start another.',
    });
  }
  return { ...running, generation: running.generation + 1, shares: [...running.shares, share] };
}

/** Throws `rollout_invalid` where none is running. */
export function ended(
  before: Rollout | null,
  name: string,
  how: Pick<Rollout, 'status' | 'by' | 'evidence'>,
  now: Date,
): Rollout {
  const running = runningOf(before, name);
  return { ...running, ...how, generation: running.generation + 1, ended: now.toISOString() };
}

function runningOf(rollout: Rollout | null, name: string): Rollout {
  if (rollout?.status === 'running') return rollout;
  const last = rollout === null ? '' : ` The last one, of ${rollout.candidate.version}, was ${rollout.status}.`;
  throw new PreambleError('rollout_invalid', `${name} has no rollout under way.${last}`, {
    action: 'See what there is: preamble rollout status.',
  });
}

function broken(place: string, what: string, cause?: unknown): PreambleError {
  return new PreambleError('rollout_invalid', `${place} can't be used: ${what}.`, {
    action: 'Abort the rollout, or remove what stands there.',
    cause,
  });
}
