import { appendFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PreambleError } from '../../errors.ts';
import { systemCode, writingTo } from '../../model/obtain/file-errors.ts';
import { canonicalJson, type JsonValue } from '../../prompts/canonical-json.ts';
import type { TrainingMetrics } from './train.ts';
import { loadTrainingState, saveTrainingState, type TrainingState } from './training-state.ts';

const RUN_FILE = 'run.json';
const METRICS_FILE = 'metrics.jsonl';

/** Where one training run keeps what it computed, so that it goes on from there when it was cut off. */
export interface RunDirectory {
  readonly path: string;
  /** The state that the run was left in; null for a new one. */
  load(): Promise<TrainingState | null>;
  save(state: TrainingState, hiddenSize: number): Promise<void>;
  append(metrics: TrainingMetrics): Promise<void>;
  /** Metrics up to and with a step; what a cut-off run wrote beyond its saved state is left out. */
  metrics(upTo: number): Promise<TrainingMetrics[]>;
}

/**
 * Opens the folder of a run, or makes it. `about` is all that the run depends on: a folder that holds another run is refused, so that
 * nothing is resumed with other settings. Throws `invalid_request`, `file_unwritable`.
 */
export async function openRunDirectory(path: string, about: JsonValue): Promise<RunDirectory> {
  const text = `${canonicalJson(about)}\n`;
  const runFile = join(path, RUN_FILE);
  const known = await readFile(runFile, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  });
  if (known !== null && known !== text) {
    throw new PreambleError('invalid_request', `${path} holds a run with other settings, queries or start.`, {
      action: 'Give another directory with --run, or remove that one.',
    });
  }
  await writingTo(path, async () => {
    await mkdir(path, { recursive: true });
    await writeFile(`${runFile}.partial`, text);
    await rename(`${runFile}.partial`, runFile);
  });
  const metricsFile = join(path, METRICS_FILE);
  return {
    path,
    load: () => loadTrainingState(path),
    save: (state, hiddenSize) => saveTrainingState(path, state, hiddenSize),
    append: (metrics) => writingTo(path, () => appendFile(metricsFile, `${JSON.stringify(metrics)}\n`)),
    async metrics(upTo) {
      const lines = await readFile(metricsFile, 'utf8').catch(() => '');
      const all = lines.split('\n').flatMap((line): TrainingMetrics[] => (line === '' ? [] : [JSON.parse(line)]));
      // a step that was computed again stands there twice; the last one counts
      return [...new Map(all.map((entry) => [`${entry.kind} ${entry.step}`, entry])).values()]
        .filter(({ step }) => step <= upTo)
        .sort((left, right) => left.step - right.step);
    },
  };
}
