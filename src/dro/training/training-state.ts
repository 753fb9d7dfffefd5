import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { PreambleError } from '../../errors.ts';
import {
  readSafetensorsHeader,
  readTensor,
  type SafetensorsEntry,
  writeSafetensors,
} from '../../formats/safetensors.ts';
import { type AdamWState, initialAdamW } from './adamw.ts';

/** What training is between two steps: all that the next one depends on, besides its settings and data. */
export interface TrainingState {
  /** Steps taken. */
  step: number;
  /** `[virtualTokens, hiddenSize]` */
  softPrompt: Float32Array;
  optimiser: AdamWState;
  /** The soft prompt that was best on the dev split so far; null before the first look. */
  best: BestPrompt | null;
}

export interface BestPrompt {
  step: number;
  score: number;
  softPrompt: Float32Array;
}

const FILE = 'state.safetensors';
const names = { softPrompt: 'soft_prompt', first: 'first_moment', second: 'second_moment', best: 'best_soft_prompt' };

export function initialState(softPrompt: Float32Array): TrainingState {
  return { step: 0, softPrompt: softPrompt.slice(), optimiser: initialAdamW(softPrompt.length), best: null };
}

/** Writes the state whole or not at all: until then the one before stays. Throws `file_unwritable`. */
export async function saveTrainingState(directory: string, state: TrainingState, hiddenSize: number): Promise<void> {
  const { step, softPrompt, optimiser, best } = state;
  const entry = (name: string, values: Float32Array): SafetensorsEntry => ({
    name,
    dtype: 'F32',
    shape: [values.length / hiddenSize, hiddenSize],
    bytes: () => [new Uint8Array(values.buffer, values.byteOffset, values.byteLength)],
  });
  await writeSafetensors(
    join(directory, FILE),
    [
      entry(names.softPrompt, softPrompt),
      entry(names.first, optimiser.firstMoment),
      entry(names.second, optimiser.secondMoment),
      ...(best === null ? [] : [entry(names.best, best.softPrompt)]),
    ],
    {
      step: String(step),
      optimiserStep: String(optimiser.step),
      ...(best === null ? {} : { bestStep: String(best.step), bestScore: String(best.score) }),
    },
  );
}

/** The state that a run was left in; null where it has none yet. Throws `format_invalid`, `file_unreadable`. */
export async function loadTrainingState(directory: string): Promise<TrainingState | null> {
  const path = join(directory, FILE);
  const there = await access(path).then(
    () => true,
    () => false,
  );
  if (!there) return null;
  const { tensors, metadata } = await readSafetensorsHeader(path);
  const read = async (name: string) => {
    const location = tensors.get(name);
    if (location === undefined) throw unusable(path, `it holds no ${name}`);
    return await readTensor(path, location);
  };
  const number = (name: string) => {
    const value = Number(metadata[name] ?? Number.NaN);
    if (!Number.isFinite(value)) throw unusable(path, `it does not say its ${name}`);
    return value;
  };
  return {
    step: number('step'),
    softPrompt: await read(names.softPrompt),
    optimiser: {
      step: number('optimiserStep'),
      firstMoment: await read(names.first),
      secondMoment: await read(names.second),
    },
    best: tensors.has(names.best)
      ? { step: number('bestStep'), score: number('bestScore'), softPrompt: await read(names.best) }
      : null,
  };
}

function unusable(path: string, what: string): PreambleError {
  return new PreambleError('format_invalid', `${path} is not a training state: ${what}.`, {
    action: 'Remove it to start this run again.',
  });
}
