import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { peersDirectory } from './processes.ts';

/** Peers have a lock file of their own, and are installed when they are first needed. */
export function installPeers(): void {
  if (existsSync(join(peersDirectory, 'node_modules', '.package-lock.json'))) return;
  process.stderr.write('Installing the peers (once)...\n');
  // None of their install scripts is needed to run them.
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--silent'], {
    cwd: peersDirectory,
    stdio: ['ignore', 2, 'inherit'],
  });
}
