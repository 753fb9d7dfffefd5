import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { PreambleError, toError } from '../errors.ts';
import type { RolloutPart } from '../policy/rollout.ts';
import type { Observations, RequestFinished } from '../telemetry/observations.ts';
import { createCopies, type MakeCopy } from './copies.ts';
import { addCounts, type Counts, DROPPED } from './counts.ts';
import { evidenceOf, judge, type Verdict } from './judge.ts';
import { outcomeOf } from './outcome.ts';
import { ended, type Rollout } from './record.ts';
import type { RolloutStore } from './store.ts';
import { createTally, type Tally } from './tally.ts';

/** Counts are told, and changes looked for, this often. Together with what is answered meanwhile it is how late an abortion can come. */
const TICK_MS = 1_000;

export interface RolloutStatus {
  readonly rollout: Rollout;
  readonly verdict: Verdict;
}

/** The rollouts of one gateway: which are in force, what comes of them, and when they end. */
export interface Rollouts extends AsyncDisposable {
  /** Looks up those of these prompts. Without its store, those that were known are in force. */
  look(names: ReadonlySet<string>): Promise<ReadonlyMap<string, Rollout>>;
  /** What was looked up holds for requests from now on: says so in the log. */
  announce(): void;
  /** A candidate could not be looked at now: asks for another look soon. */
  lookAgain(): void;
  /** Begins to count, and to watch those of these prompts until {@link look} names others; `refresh` puts into force what that says. */
  begin(observations: Observations, refresh: () => Promise<void>, names: ReadonlySet<string>): void;
  /** How a copy of a request is made, should its answer come to a good end. */
  offerCopy(requestId: string, make: MakeCopy): void;
  /** Of every rollout that the store knows, with all gateways' counts. Throws what the store throws. */
  statuses(): Promise<readonly RolloutStatus[]>;
}

export interface RolloutsOptions {
  readonly store: RolloutStore;
  readonly logger: Logger;
}

/** One rollout, as this gateway counts it. */
interface Running {
  readonly tally: Tally;
  /** Not told yet. */
  pending: Counts;
  /** Told, with no answer yet: it is told again, under the same number. */
  sending: Counts | null;
  number: number;
  /** The sums of all gateways, when last heard. */
  sums: Counts;
  /** It was said that it is ready. */
  ready: boolean;
}

export function createRollouts({ store, logger }: RolloutsOptions): Rollouts {
  const gateway = randomUUID();
  const inForce = new Map<string, Rollout>();
  /** By id. */
  const running = new Map<string, Running>();
  /** Found worse here; the store may not know yet. */
  const stopped = new Set<string>();
  const copies = createCopies();
  let followed: ReadonlySet<string> = new Set();
  /** Looked up, and not yet in force. */
  let changes: object[] = [];
  let again = false;
  let refresh: () => Promise<void> = async () => {};
  let unsubscribe = () => {};
  let timer: NodeJS.Timeout | undefined;
  let ticking: Promise<void> | null = null;
  let noted = '';
  let failed = false;

  async function look(names: ReadonlySet<string>): Promise<ReadonlyMap<string, Rollout>> {
    followed = names;
    for (const name of inForce.keys()) if (!names.has(name)) inForce.delete(name);
    for (const name of names) {
      try {
        follow(name, await store.read(name));
      } catch (error) {
        noteOnce(error);
      }
    }
    return new Map([...inForce].filter(([, { id }]) => !stopped.has(id)));
  }

  function follow(name: string, now: Rollout | null): void {
    const before = inForce.get(name);
    if (now?.status === 'running') inForce.set(name, now);
    else inForce.delete(name);
    if (before?.id === now?.id && before?.generation === now?.generation) return;
    if (before === undefined && now?.status !== 'running') return;
    if (before !== undefined && (before.id !== now?.id || now.status !== 'running')) running.delete(before.id);
    const { candidate, shares, shadow, status } = now ?? { status: 'gone' };
    const fields = { prompt: name, status, candidate: candidate?.version, share: shares?.at(-1), shadow };
    changes.push({ event: 'rollout.changed', ...fields });
  }

  function runningOf(id: string): Running {
    let found = running.get(id);
    if (found === undefined) {
      found = { tally: createTally(), pending: {}, sending: null, number: 0, sums: {}, ready: false };
      running.set(id, found);
    }
    return found;
  }

  function count(part: RolloutPart, added: (tally: Tally) => Counts): void {
    // Answers may end after their rollout.
    if (inForce.get(part.name)?.id !== part.id) return;
    const state = runningOf(part.id);
    state.pending = addCounts(state.pending, added(state.tally));
  }

  function requestFinished(finished: RequestFinished): void {
    const make = copies.take(finished.requestId);
    const part = finished.plan?.rollout;
    if (part === undefined) return;
    const outcome = outcomeOf(finished);
    if (outcome === null) return;
    const rollout = inForce.get(part.name);
    if (rollout?.id !== part.id) return;
    if (!rollout.shadow) count(part, (tally) => tally.one(part, outcome));
    if (!rollout.shadow || make === null) return;
    const begun = copies.run(make, (candidate) => {
      if (candidate !== null) count(part, (tally) => tally.pair(part, outcome, candidate));
    });
    if (!begun) count(part, () => ({ [DROPPED]: 1 }));
  }

  /** Tells what was counted, and judges all gateways' sums; without the store, what is known of them. */
  async function settle(rollout: Rollout): Promise<void> {
    const state = running.get(rollout.id);
    if (state === undefined) return;
    if (state.sending === null && Object.keys(state.pending).length > 0) {
      state.sending = state.pending;
      state.pending = {};
      state.number++;
    }
    if (state.sending !== null) {
      try {
        state.sums = await store.add(rollout.id, { gateway, number: state.number, counts: state.sending });
        state.sending = null;
      } catch (error) {
        noteOnce(error);
      }
    }
    const verdict = judge(rollout, addCounts(state.sums, addCounts(state.sending ?? {}, state.pending)));
    if (verdict.worse) await abort(rollout, verdict);
    else if (verdict.ready && !state.ready) {
      state.ready = true;
      const { requests, conditions } = verdict;
      const fields = { event: 'rollout.ready', prompt: rollout.name, candidate: rollout.candidate.version };
      logger.info({ ...fields, requests, conditions }, 'a rollout has met its conditions');
    }
  }

  /** Here at once; for all gateways by the one that is first. */
  async function abort(rollout: Rollout, verdict: Verdict): Promise<void> {
    const { id, name, candidate } = rollout;
    const evidence = evidenceOf(verdict);
    if (!stopped.has(id)) {
      stopped.add(id);
      await refresh();
    }
    let first = false;
    await store.change(name, (current) => {
      first = current?.id === id && current.status === 'running';
      if (current === null) return rollout;
      return first ? ended(current, name, { status: 'aborted', by: 'guardrail', evidence }, new Date()) : current;
    });
    if (!first) return;
    const fields = { event: 'rollout.aborted', prompt: name, candidate: candidate.version, by: 'guardrail', evidence };
    logger.error(fields, 'a rollout was aborted: its candidate is worse');
  }

  async function isNews(name: string): Promise<boolean> {
    const now = await store.read(name);
    const before = inForce.get(name);
    if (now?.status !== 'running') return before !== undefined;
    return before?.id !== now.id || before.generation !== now.generation;
  }

  async function tick(): Promise<void> {
    failed = false;
    try {
      const news = await Promise.all([...followed].map(isNews));
      if (again || news.includes(true)) {
        again = false;
        await refresh();
      }
    } catch (error) {
      noteOnce(error);
    }
    for (const rollout of [...inForce.values()]) {
      try {
        await settle(rollout);
      } catch (error) {
        noteOnce(error);
      }
    }
    if (!failed) noted = '';
  }

  /** One at a time. */
  function soon(): void {
    ticking ??= tick().finally(() => {
      ticking = null;
    });
  }

  /** Once, not every second; and not at all where there is none that could miss its store. */
  function noteOnce(error: unknown): void {
    failed = true;
    const { message } = toError(error);
    const isAway = error instanceof PreambleError && error.code === 'redis_unavailable';
    if (message === noted || (isAway && inForce.size === 0)) return;
    noted = message;
    logger.warn({ event: 'rollout.degraded', err: error }, 'rollouts can not be looked up or counted: as before');
  }

  return {
    look,
    announce() {
      for (const fields of changes) logger.info(fields, 'a rollout has changed');
      changes = [];
    },
    lookAgain() {
      again = true;
    },
    begin(observations, refreshed, names) {
      refresh = refreshed;
      followed = names;
      unsubscribe = observations.subscribe({ requestFinished });
      timer = setInterval(soon, TICK_MS).unref();
      store.watch(soon);
    },
    offerCopy: copies.offer,
    async statuses() {
      const all = await store.list();
      return await Promise.all(
        all.map(async (rollout) => ({ rollout, verdict: judge(rollout, await store.counts(rollout.id)) })),
      );
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      unsubscribe();
      copies.stop();
      await ticking;
      // What was counted last is told, so that a restart loses nothing.
      for (const rollout of inForce.values()) await settle(rollout).catch(() => {});
    },
  };
}
