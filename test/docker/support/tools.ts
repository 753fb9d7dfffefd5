import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from './files.ts';

const run = promisify(execFile);

/** Rendered charts with all schemas in sight. */
const MAX_OUTPUT = 64 * 2 ** 20;

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Tools {
  /** A folder of scripts/container-tools.sh: `kubernetes/1.30`, `crds`. */
  folder(name: string): string;
  run(tool: string, args: readonly string[], options?: { input?: string; cwd?: string }): Promise<Ended>;
}

/** Makes them on first use, which takes minutes. */
export async function containerTools(): Promise<Tools> {
  const { stdout } = await run(join(root, 'scripts', 'container-tools.sh'));
  const tools = stdout.trim();
  return {
    folder: (name) => join(tools, name),
    run: (tool, args, { input = '', cwd = root } = {}) =>
      new Promise((resolve) => {
        const child = execFile(
          join(tools, 'bin', tool),
          args,
          { cwd, maxBuffer: MAX_OUTPUT },
          (error, stdout, stderr) => {
            resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, stdout, stderr });
          },
        );
        child.stdin?.end(input);
      }),
  };
}
