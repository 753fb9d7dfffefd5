import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

interface Teardown {
  teardown(work: () => void): void;
}

/** Sets environment variables for one test. */
export function setEnvironment(t: Teardown, values: Record<string, string>): void {
  const before = { ...process.env };
  Object.assign(process.env, values);
  t.teardown(() => {
    for (const name of Object.keys(values)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  });
}

/** Every file below a folder, relative, sorted. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
