import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { PreambleError } from '../../errors.ts';
import { withFile } from '../../formats/file-ranges.ts';
import { readGgufHeader } from '../../formats/gguf.ts';
import { byteLength, type SafetensorsEntry, writeSafetensors } from '../../formats/safetensors.ts';
import { parseModelConfig } from '../parse-config.ts';
import { configFromGguf, generationConfigFromGguf } from './config-from-gguf.ts';
import { tokenizerFilesFromGguf } from './tokenizer-from-gguf.ts';
import { readRopeFactors, weightsFromGguf } from './weights-from-gguf.ts';

export interface ConvertOptions {
  /** Bytes of weights written so far, and in the end. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/** No conversion takes this long: what an earlier, killed one left is deleted. Milliseconds. */
const STALE_AFTER_MS = 6 * 60 * 60 * 1000;

/**
 * Converts a GGUF file into a Hugging Face model directory (config.json, generation_config.json, model.safetensors in bfloat16, the
 * tokenizer's files). `outputDirectory` must be absent or empty; it appears whole or not at all, whatever kills the process.
 * Throws `file_unreadable`, `format_invalid`, `model_unsupported` before any weight is read, `file_unwritable`, or the signal's reason.
 */
export async function convertGguf(
  ggufPath: string,
  outputDirectory: string,
  options: ConvertOptions = {},
): Promise<void> {
  const target = resolve(outputDirectory);
  const header = await readGgufHeader(ggufPath);
  await withFile(ggufPath, async (file) => {
    const config = configFromGguf(header, await readRopeFactors(file, header));
    const weights = weightsFromGguf(file, header, parseModelConfig(config));
    const texts = {
      'config.json': toText(config),
      'generation_config.json': toText(generationConfigFromGguf(header.metadata)),
      ...tokenizerFilesFromGguf(header.metadata),
    };
    options.signal?.throwIfAborted();
    await checkEmpty(target);
    await removeStale(target);
    const temporary = `${target}.${randomUUID()}.partial`;
    try {
      await mkdir(temporary, { recursive: true });
      for (const [name, text] of Object.entries(texts)) await writeFile(join(temporary, name), text, { flush: true });
      await writeSafetensors(join(temporary, 'model.safetensors'), observed(weights, options), { format: 'pt' });
      await syncDirectory(temporary);
      await rename(temporary, target);
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      throw unwritable(target, error);
    }
  });
}

/** The same entries, reporting progress and ending early when the signal says so. */
function observed(entries: SafetensorsEntry[], { onProgress, signal }: ConvertOptions): SafetensorsEntry[] {
  const total = entries.reduce((sum, { dtype, shape }) => sum + byteLength(dtype, shape), 0);
  let done = 0;
  async function* observe(pieces: ReturnType<SafetensorsEntry['bytes']>) {
    for await (const piece of pieces) {
      signal?.throwIfAborted();
      yield piece;
      done += piece.length;
      onProgress?.(done, total);
    }
  }
  return entries.map((entry) => ({ ...entry, bytes: () => observe(entry.bytes()) }));
}

async function checkEmpty(directory: string): Promise<void> {
  const present = await readdir(directory).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw unwritable(directory, error);
  });
  if (present.length > 0) {
    throw new PreambleError('file_unwritable', `${directory} is not empty.`, { action: 'Name a new directory.' });
  }
}

async function removeStale(target: string): Promise<void> {
  const parent = dirname(target);
  const siblings = await readdir(parent).catch(() => []);
  for (const name of siblings) {
    if (!name.startsWith(`${basename(target)}.`) || !name.endsWith('.partial')) continue;
    const path = join(parent, name);
    const stats = await stat(path).catch(() => null);
    if (stats !== null && Date.now() - stats.mtimeMs > STALE_AFTER_MS) await rm(path, { recursive: true, force: true });
  }
}

/** So that after a power cut the name doesn't stand for less than was written. */
async function syncDirectory(directory: string): Promise<void> {
  await using handle = await open(directory, 'r');
  await handle.sync();
}

function toText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function unwritable(directory: string, error: unknown): unknown {
  if (!(error instanceof Error && 'syscall' in error)) return error;
  return new PreambleError('file_unwritable', `Cannot write ${directory}: ${error.message}.`, {
    action: 'Check the free space and the permissions of its directory.',
    cause: error,
  });
}
