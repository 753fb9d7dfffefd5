import { Command } from 'commander';
import { version } from '../version.ts';
import { registerAnchorsCommand } from './anchors.ts';
import { registerConfigCommands } from './config.ts';
import { registerDoctorCommand } from './doctor.ts';
import { registerEvaluateCommand } from './evaluate.ts';
import { registerGraftCommand } from './graft.ts';
import { registerKeyCommands } from './key.ts';
import { registerLogsCommands } from './logs.ts';
import { registerModelCommands } from './model.ts';
import { registerPromptCommands } from './prompt.ts';
import { registerQueriesCommands } from './queries.ts';
import { registerRolloutCommands } from './rollout.ts';
import { registerServeCommand } from './serve.ts';
import { registerTrainCommand } from './train.ts';

/** Every command with its options: what the command line takes, and what documentation may promise. */
export function createProgram(): Command {
  const program = new Command('preamble')
    .description('An inference gateway that puts a learned safety prompt in front of every request')
    .version(version, '-V, --version', 'print the version')
    .showHelpAfterError('(preamble --help shows what there is)')
    .exitOverride();
  registerServeCommand(program);
  registerDoctorCommand(program);
  registerConfigCommands(program);
  registerModelCommands(program);
  registerPromptCommands(program);
  registerGraftCommand(program);
  registerKeyCommands(program);
  registerQueriesCommands(program);
  registerTrainCommand(program);
  registerEvaluateCommand(program);
  registerAnchorsCommand(program);
  registerLogsCommands(program);
  registerRolloutCommands(program);
  return program;
}
