import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSafetensorsHeader, readTensor, writeSafetensors } from '../../formats/safetensors.ts';
import { writingTo } from '../../model/obtain/file-errors.ts';
import type { AnswerSource } from '../answers/answer-source.ts';
import type { PromptUnderTest } from '../answers/prompt-under-test.ts';
import type { AnchorEvent } from './anchor-event.ts';
import { type AnswerLog, openAnswerLog } from './answer-log.ts';
import { countRefusals, type QueryCount, type SamplingPlan } from './count-refusals.ts';
import type { QueryLayout } from './query-layout.ts';
import { computeStates } from './states.ts';

export interface SetTask {
  readonly prompt: PromptUnderTest;
  readonly texts: readonly string[];
  readonly layout: QueryLayout;
  readonly plan: SamplingPlan;
  /** The model's directory. */
  readonly model: string;
  readonly hiddenSize: number;
  /** Where this set's work is kept: a folder whose name is the digest of all that it depends on. */
  readonly folder: string;
  /** What that digest was made of, for people who look into the folder. */
  readonly about: object;
  readonly source: () => Promise<AnswerSource>;
  readonly onEvent: (event: AnchorEvent) => void;
}

export interface CollectedSet {
  readonly states: Float32Array;
  readonly counts: readonly QueryCount[];
}

const STATES_FILE = 'states.safetensors';
const ANSWERS_FILE = 'answers.jsonl';
const ABOUT_FILE = 'about.json';

/** States and counts under one prompt: what the folder has of them, and the rest computed and put there as it comes. */
export async function collectSet(task: SetTask, signal: AbortSignal): Promise<CollectedSet> {
  const { folder, texts, plan, prompt, onEvent } = task;
  const log = await writingTo(folder, async () => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, ABOUT_FILE), `${JSON.stringify(task.about, null, 1)}\n`);
    return await openAnswerLog(join(folder, ANSWERS_FILE), plan.samples);
  });
  try {
    const kept = await readStates(task);
    onEvent({ kind: 'begin', prompt, states: kept === null ? 0 : texts.length, answered: log.counts.size });
    const states = kept ?? (await makeStates(task, signal));
    await answerOpen(task, log, signal);
    const counts = texts.flatMap((_, query) => log.counts.get(query) ?? []);
    onEvent({ kind: 'end', prompt, counts });
    return { states, counts };
  } finally {
    await log.close();
  }
}

async function readStates({ folder, texts, hiddenSize }: SetTask): Promise<Float32Array | null> {
  const path = join(folder, STATES_FILE);
  try {
    const location = (await readSafetensorsHeader(path)).tensors.get('states');
    if (location === undefined || location.shape.join() !== `${texts.length},${hiddenSize}`) return null;
    return await readTensor(path, location);
  } catch {
    // Not there, or not whole: it is made anew.
    await rm(path, { force: true });
    return null;
  }
}

async function makeStates(task: SetTask, signal: AbortSignal): Promise<Float32Array> {
  const { folder, model, layout, hiddenSize, onEvent } = task;
  const states = await computeStates(model, layout, signal, {
    onProgress: (done) => onEvent({ kind: 'states', done }),
  });
  const bytes = new Uint8Array(states.buffer, states.byteOffset, states.byteLength);
  const shape = [layout.rows.length, hiddenSize];
  await writingTo(folder, () =>
    writeSafetensors(join(folder, STATES_FILE), [{ name: 'states', dtype: 'F32', shape, bytes: () => [bytes] }]),
  );
  return states;
}

async function answerOpen(
  { source, texts, prompt, plan, folder, onEvent }: SetTask,
  log: AnswerLog,
  signal: AbortSignal,
) {
  const open = [...texts.keys()].filter((query) => !log.counts.has(query));
  if (open.length === 0) return;
  const counted = countRefusals(
    await source(),
    { texts, open, prompt, plan },
    { signal, onAnswer: (answer) => onEvent({ kind: 'answer', answer }) },
  );
  for await (const count of counted) {
    await writingTo(folder, () => log.append(count));
    onEvent({ kind: 'query', count });
  }
}
