import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * The program of the published package. It may be started by a Node that is too old for the rest (Debian's, say); then it hands over to
 * the one that came as the dependency `node`. So it imports nothing of ours before it has looked.
 */
const OLDEST_NODE = [22, 19] as const;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) await import('./cli.ts');
else handOver();

function handOver(): void {
  const node = join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin', 'node');
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  // A terminal signals both; a service manager only this one, and the child has to let answers end before this one goes.
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  process.on('SIGINT', () => {});
  child.on('error', () => {
    process.stderr.write(
      `preamble: Node ${process.versions.node} is too old. Install Node ${OLDEST_NODE.join('.')} or later.\n`,
    );
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = signal === null ? (code ?? 1) : 1;
  });
}
