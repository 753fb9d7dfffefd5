import { CommanderError } from 'commander';
import { processOutput } from './commands/output.ts';
import { createProgram } from './commands/program.ts';
import { describe, PreambleError, toError } from './errors.ts';

const EXIT_FAILED = 1;
const EXIT_USED_WRONGLY = 2;

/** The exit code: 0 done, 1 failed, 2 used wrongly. */
async function run(argv: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync([...argv]);
    return 0;
  } catch (thrown) {
    // Commander has said its own faults already; help and --version come this way too, with exit code 0.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : EXIT_USED_WRONGLY;
    processOutput.stderr.write(`${red('preamble:')} ${messageOf(thrown)}\n`);
    return EXIT_FAILED;
  }
}

function messageOf(thrown: unknown): string {
  const error = toError(thrown);
  const debug = process.env['PREAMBLE_DEBUG'] === '1';
  if (debug) return error.stack ?? error.message;
  if (error instanceof PreambleError && error.code !== 'internal') return describe(error);
  const reason = error.cause === undefined ? error.message : `${error.message}: ${toError(error.cause).message}`;
  return `${reason.replace(/\.$/, '')}. This is not foreseen; PREAMBLE_DEBUG=1 shows where it happened.`;
}

function red(text: string): string {
  const colored = process.stderr.isTTY && process.env['NO_COLOR'] === undefined;
  return colored ? `\u001b[31m${text}\u001b[39m` : text;
}

process.exitCode = await run(process.argv);
