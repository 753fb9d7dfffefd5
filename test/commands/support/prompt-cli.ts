import { Command } from 'commander';
import { registerPromptCommands } from '../../../src/commands/prompt.ts';
import { describe, PreambleError } from '../../../src/errors.ts';

// The prompt commands alone, as a process of their own.
const program = new Command('preamble').version('0.0.0');
registerPromptCommands(program);
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof PreambleError)) throw error;
  process.stderr.write(`${describe(error)}\n`);
  process.exitCode = error.code === 'invalid_request' ? 2 : 1;
}
