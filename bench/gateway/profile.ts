import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatTable } from '../table.ts';
import { repositoryRoot } from './processes.ts';

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const SHOWN = 40;
const NOT_WORK = new Set(['(idle)', '(program)', '(root)']);

/** The functions of a V8 profile by their own share of the busy time, and the same by file. */
export async function hottest(directory: string): Promise<string> {
  const [file] = (await readdir(directory))
    .filter((name) => name.endsWith('.cpuprofile'))
    .toSorted()
    .reverse();
  if (file === undefined) throw new Error(`There is no profile in ${directory}.`);
  const profile: CpuProfile = JSON.parse(await readFile(join(directory, file), 'utf8'));
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const functions = new Map<string, number>();
  const files = new Map<string, number>();
  let busy = 0;
  for (const [index, id] of profile.samples.entries()) {
    const frame = frames.get(id);
    if (frame === undefined || NOT_WORK.has(frame.functionName)) continue;
    const micros = profile.timeDeltas[index] ?? 0;
    busy += micros;
    const place = placeOf(frame.url);
    add(functions, `${frame.functionName || '(anonymous)'}\t${place}:${frame.lineNumber + 1}`, micros);
    add(files, place, micros);
  }
  const top = (shares: ReadonlyMap<string, number>) =>
    [...shares]
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, SHOWN)
      .map(([name, micros]) => [`${((100 * micros) / busy).toFixed(1)}%`, ...name.split('\t')]);
  return `${file}\n${formatTable(top(functions))}\n${formatTable(top(files))}`;
}

function placeOf(url: string): string {
  if (url === '') return '(native)';
  const path = url.startsWith('file://') ? fileURLToPath(url) : url;
  return path.replace(repositoryRoot, '').replace('node_modules/', '');
}

function add(shares: Map<string, number>, key: string, micros: number): void {
  shares.set(key, (shares.get(key) ?? 0) + micros);
}
