import { obtainModel } from '../../model/obtain/obtain.ts';
import { modelProgress } from '../model-progress.ts';
import type { Output } from '../output.ts';

/** The directory of the model of `--model`, fetched if need be. */
export async function modelDirectoryFor(nameOrDirectory: string, output: Output): Promise<string> {
  const progress = modelProgress(output);
  try {
    return (await obtainModel(nameOrDirectory, { onEvent: progress.onEvent })).directory;
  } finally {
    progress.stop();
  }
}
