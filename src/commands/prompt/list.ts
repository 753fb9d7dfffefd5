import { type Output, table, writeResult } from '../output.ts';
import { openPrompts, type ReadOptions } from './directories.ts';

export async function listPrompts(options: ReadOptions, output: Output): Promise<void> {
  const { versions, broken } = await openPrompts(options);
  const rows = [
    ...versions.map(({ label, manifest, digest }) => [
      label,
      manifest.model.id,
      manifest.training?.objective ?? (manifest.text === undefined ? '-' : 'text'),
      digest.slice(0, 12),
    ]),
    ...broken.map(({ label }) => [label, '-', 'damaged', '-']),
  ];
  const value = [
    ...versions.map(({ name, version, digest, directory, manifest }) => ({
      name,
      version,
      digest,
      directory,
      model: manifest.model.id,
      status: 'ok',
    })),
    ...broken.map(({ name, version, directory, error }) => ({
      name,
      version,
      directory,
      status: 'damaged',
      error: error.message,
    })),
  ];
  const text = rows.length === 0 ? 'There are no prompts.' : table(['PROMPT', 'MODEL', 'MADE BY', 'DIGEST'], rows);
  writeResult(options.json, value, text, output);
}
