import { mkdir, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { byteProgress, type ObtainContext } from './events.ts';

/** Converts a GGUF file into an empty Hugging Face directory. Whatever an earlier, broken off conversion left there is deleted. */
export async function convertInto(gguf: string, directory: string, context: ObtainContext): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  // Needed once in a model's life: no later start has to load it.
  const { convertGguf } = await import('../convert/gguf-to-huggingface.ts');
  await convertGguf(gguf, directory, {
    onProgress: byteProgress(context, 'convert', basename(gguf)),
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
}
