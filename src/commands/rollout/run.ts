import { setTimeout as sleep } from 'node:timers/promises';
import { PreambleError } from '../../errors.ts';
import { parsePromptReference, promptLabel, quote } from '../../prompts/name.ts';
import { parseCondition } from '../../rollout/conditions.ts';
import { judge } from '../../rollout/judge.ts';
import { ended, MAX_SHARE, type Rollout, resized, started } from '../../rollout/record.ts';
import type { RolloutStatus } from '../../rollout/rollouts.ts';
import { type Output, writeResult } from '../output.ts';
import type { RedisOptions } from '../prompt/redis.ts';
import { type RolloutPlace, withRollouts } from './place.ts';
import { describeRollout } from './show.ts';

/** How often `status --watch` looks. */
const WATCH_MS = 2_000;

export interface StartOptions extends RedisOptions {
  candidate: string;
  share: number;
  shadow?: boolean;
  model?: string;
  stable?: string;
  until: string[];
}

export async function startRollout(reference: string, options: StartOptions, output: Output): Promise<void> {
  const name = bareName(reference);
  const candidate = candidateVersion(name, options.candidate);
  const shadow = options.shadow === true;
  checkShare(options.share, shadow);
  const until = options.until.map((text) => parseCondition(text).text);
  const rollout = await withRollouts(options, async ({ store, stable, version }) => {
    const target = await version(name, candidate);
    const now = await stable(name, options.stable ?? null);
    if (now.digest === target.digest) {
      throw new PreambleError('rollout_invalid', `${promptLabel(name, candidate)} is what ${name} means already.`, {
        action: 'Name another candidate, or say what is stable with --stable VERSION.',
      });
    }
    const { share, model = null } = options;
    const wanted = { name, model, stable: now, candidate: target, shadow, until, share };
    return await store.change(name, (before) => started(before, wanted, new Date()));
  });
  const what = shadow ? 'copies of ' : '';
  const text = `Started: ${promptLabel(name, candidate)} for ${what}${options.share * 100}% of conversations, beside ${rollout.stable.version}`;
  writeResult(options.json, rollout, text, output);
}

export async function resizeRollout(
  reference: string,
  share: number,
  options: RedisOptions,
  output: Output,
): Promise<void> {
  const name = bareName(reference);
  const rollout = await withRollouts(options, ({ store }) =>
    store.change(name, (before) => {
      checkShare(share, before?.shadow === true);
      return resized(before, name, share);
    }),
  );
  writeResult(options.json, rollout, `${name}: ${rollout.candidate.version} for ${share * 100}% from now on`, output);
}

export interface StatusOptions extends RedisOptions {
  watch?: boolean;
}

/** With `--watch` until the rollout is ready or has ended. */
export async function showRollouts(
  reference: string | undefined,
  options: StatusOptions,
  output: Output,
): Promise<void> {
  const name = reference === undefined ? null : bareName(reference);
  await withRollouts(options, async (place) => {
    let shown = '';
    while (true) {
      const statuses = await statusesOf(place, name);
      const text = statuses.map(describeRollout).join('\n') || 'There are no rollouts.\n';
      if (text !== shown) writeResult(options.json, statuses, text, output);
      shown = text;
      if (options.watch !== true || !statuses.some(isUnderWay)) return;
      await sleep(WATCH_MS);
    }
  });
}

export interface PromoteOptions extends RedisOptions {
  force?: boolean;
}

export async function promoteRollout(reference: string, options: PromoteOptions, output: Output): Promise<void> {
  const name = bareName(reference);
  const rollout = await withRollouts(options, async ({ store, version, promote }) => {
    const step = (before: Rollout | null) =>
      ended(before, name, { status: 'promoted', by: null, evidence: null }, new Date());
    const now = await store.read(name);
    const { candidate, id } = step(now);
    const { conditions } = judge(step(now), await store.counts(id));
    const unmet = conditions.filter(({ state }) => state !== 'met').map(({ text }) => text);
    if (unmet.length > 0 && options.force !== true) {
      throw new PreambleError('rollout_invalid', `${name} has not met its conditions: ${unmet.join('; ')}.`, {
        action: 'Wait, or promote it all the same with --force.',
      });
    }
    await version(name, candidate.version);
    // The record first: a guardrail that aborts in this moment is either too late, or heard.
    const after = await store.change(name, step);
    await promote(name, candidate);
    return after;
  });
  const text = `Promoted ${promptLabel(name, rollout.candidate.version)}, before: ${rollout.stable.version}`;
  writeResult(options.json, rollout, text, output);
}

export async function abortRollout(reference: string, options: RedisOptions, output: Output): Promise<void> {
  const name = bareName(reference);
  const rollout = await withRollouts(options, ({ store }) =>
    store.change(name, (before) =>
      ended(before, name, { status: 'aborted', by: 'operator', evidence: null }, new Date()),
    ),
  );
  writeResult(options.json, rollout, `Aborted: ${name} is ${rollout.stable.version} for all requests`, output);
}

async function statusesOf({ store }: RolloutPlace, name: string | null): Promise<RolloutStatus[]> {
  const all = await store.list();
  const wanted = all.filter((rollout) => name === null || rollout.name === name);
  if (name !== null && wanted.length === 0) {
    throw new PreambleError('rollout_invalid', `${name} has had no rollout.`, {
      action: 'Start one: preamble rollout start.',
    });
  }
  return await Promise.all(
    wanted.map(async (rollout) => ({ rollout, verdict: judge(rollout, await store.counts(rollout.id)) })),
  );
}

function isUnderWay({ rollout, verdict }: RolloutStatus): boolean {
  return rollout.status === 'running' && !verdict.ready;
}

function bareName(reference: string): string {
  const { name, version } = parsePromptReference(reference);
  if (version === null) return name;
  throw new PreambleError('rollout_invalid', `A rollout is of a name; ${quote(reference)} has a version.`, {
    action: `Write ${name}, and the version as --candidate.`,
  });
}

/** `1.1.0` or `careful@1.1.0`. */
function candidateVersion(name: string, text: string): string {
  const { name: named, version } = parsePromptReference(text.includes('@') ? text : `${name}@${text}`);
  if (named === name && version !== null) return version;
  throw new PreambleError('rollout_invalid', `${quote(text)} is no version of ${name}.`, {
    action: `Write --candidate VERSION.`,
  });
}

/** Copies may be made of all; of answers that are given, enough must be the stable prompt's to compare with. */
function checkShare(share: number, shadow: boolean): void {
  if (share <= (shadow ? 1 : MAX_SHARE)) return;
  throw new PreambleError('rollout_invalid', `A candidate can't answer ${share * 100}% of conversations.`, {
    action: `Write at most ${MAX_SHARE * 100}%, and promote it for the rest.`,
  });
}
