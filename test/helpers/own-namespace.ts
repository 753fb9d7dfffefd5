import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

export interface NamespaceRun {
  stdout: string;
  stderr: string;
  code: unknown;
}

/**
 * Runs shell commands as root of a mount namespace of their own, whoever runs the tests; what they mount goes with them. Null where there
 * is no such thing: other systems than Linux, and containers that may not.
 */
export async function inOwnNamespace(
  commands: string,
  environment: Record<string, string> = {},
): Promise<NamespaceRun | null> {
  if ((await run('mount -t tmpfs tmpfs /tmp', {})).code !== 0) return null;
  return await run(commands, environment);
}

async function run(commands: string, environment: Record<string, string>): Promise<NamespaceRun> {
  const child = spawn('unshare', ['--user', '--map-root-user', '--mount', 'sh', '-c', commands], {
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const code = once(child, 'close').then(
    ([code]) => code,
    () => 'absent',
  );
  return { stdout: await text(child.stdout), stderr: await text(child.stderr), code: await code };
}
