import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { PreambleError } from '../errors.ts';
import { keyDigest } from '../policy/tenant-of-key.ts';
import { type Output, processOutput, writeResult } from './output.ts';

/** Says in a leaked file, or to a scanner that looks for such, what it is. */
const PREFIX = 'pmb_';
/** 256 bits: nobody guesses it, so its SHA-256 needs no salt and no slow hash. */
const KEY_BYTES = 32;

interface KeyOptions {
  json?: boolean;
}

/** `preamble key new|hash`. Failures are thrown as PreambleError for the top level to print. */
export function registerKeyCommands(
  program: Command,
  output: Output = processOutput,
  input: Readable & { isTTY?: boolean } = process.stdin,
): void {
  const key = program.command('key').description('Make API keys for tenants');
  key
    .command('new')
    .description('Make a key: give it to the tenant, and put its sha256 line into preamble.yaml')
    .option('--json', 'print the result as JSON')
    .action(({ json }: KeyOptions) => {
      const made = `${PREFIX}${randomBytes(KEY_BYTES).toString('base64url')}`;
      const sha256 = keyDigest(made);
      const lines = [
        `key   ${made}`,
        `file  ${sha256}`,
        '',
        'The key is shown this once and stored nowhere. In preamble.yaml its tenant has',
        `  keys: ["${sha256}"]`,
      ];
      writeResult(json, { key: made, sha256 }, lines.join('\n'), output);
    });
  key
    .command('hash')
    .description('Print the sha256 line of a key that is read from standard input')
    .option('--json', 'print the result as JSON')
    .action(async ({ json }: KeyOptions) => {
      if (input.isTTY) output.stderr.write('Type the key, then Enter and Ctrl-D.\n');
      const given = (await text(input)).replace(/\r?\n$/, '');
      if (!/^\S+$/.test(given)) {
        throw new PreambleError('invalid_request', 'Standard input holds no key.', {
          action: 'Give one without spaces: preamble key hash < key.txt',
        });
      }
      const sha256 = keyDigest(given);
      writeResult(json, { sha256 }, sha256, output);
    });
}
