import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { byteProgress, type ObtainContext } from './events.ts';

/**
 * Converts a GGUF file below the folder `staging` and returns the Hugging Face directory it made there. What an earlier conversion
 * that was killed left there is deleted.
 */
export async function convertInto(staging: string, gguf: string, context: ObtainContext): Promise<string> {
  const folder = join(staging, 'convert');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const directory = join(folder, 'model');
  // Needed once in a model's life: no later start has to load it.
  const { convertGguf } = await import('../convert/gguf-to-huggingface.ts');
  await convertGguf(gguf, directory, {
    onProgress: byteProgress(context, 'convert', basename(gguf)),
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
  return directory;
}
