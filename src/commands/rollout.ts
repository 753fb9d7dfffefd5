import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Output, processOutput } from './output.ts';
import type { RedisOptions } from './prompt/redis.ts';
import { sharing } from './prompt.ts';
import {
  abortRollout,
  type PromoteOptions,
  promoteRollout,
  resizeRollout,
  type StartOptions,
  type StatusOptions,
  showRollouts,
  startRollout,
} from './rollout/run.ts';

const ofName = 'NAME of the prompt, as models and tenants have it in their settings';

/** `preamble rollout start|status|share|promote|abort`. Failures are thrown as PreambleError for the top level to print. */
export function registerRolloutCommands(program: Command, output: Output = processOutput): void {
  const rollout = program.command('rollout').description('Put a new version of a prompt into production by degrees');
  sharing(rollout.command('start'))
    .description('Give a candidate to a share of conversations; it is taken back by itself if it is clearly worse')
    .argument('<name>', ofName)
    .requiredOption('--candidate <version>', 'the version to try, as in 1.1.0')
    .requiredOption('--share <percent>', 'its share of conversations, as in 5%', parseShare)
    .option('--shadow', 'answer copies of requests with the candidate, and give those answers to nobody')
    .option('--model <model>', 'only for this model of the settings (default: all that have the prompt)')
    .option(
      '--stable <version>',
      'the stable version, the first time and without Redis (default: the newest; with Redis: the promoted one)',
    )
    .addOption(
      new Option(
        '--until <condition>',
        'what must be shown before it is ready, as "error-rate <= 1%" or "requests >= 1000"; may be repeated',
      )
        .argParser(collect)
        .default([], 'none'),
    )
    .option('--json', 'print the result as JSON')
    .action((name: string, options: StartOptions) => startRollout(name, options, output));
  sharing(rollout.command('status'))
    .description('Show how rollouts go, and what speaks against their candidates')
    .argument('[name]', 'NAME of one prompt (default: all)')
    .option('--watch', 'show it again and again, until it is ready or has ended')
    .option('--json', 'print the result as JSON')
    .action((name: string | undefined, options: StatusOptions) => showRollouts(name, options, output));
  sharing(rollout.command('share'))
    .description('Change the share; when it grows, conversations that have the candidate keep it')
    .argument('<name>', ofName)
    .argument('<percent>', 'new share of conversations, as in 20%', parseShare)
    .option('--json', 'print the result as JSON')
    .action((name: string, share: number, options: RedisOptions) => resizeRollout(name, share, options, output));
  sharing(rollout.command('promote'))
    .description('Make the candidate stable, for all')
    .argument('<name>', ofName)
    .option('--force', 'promote though conditions of --until are not met')
    .option('--json', 'print the result as JSON')
    .action((name: string, options: PromoteOptions) => promoteRollout(name, options, output));
  sharing(rollout.command('abort'))
    .description('Take the candidate back; requests under way keep it to their end')
    .argument('<name>', ofName)
    .option('--json', 'print the result as JSON')
    .action((name: string, options: RedisOptions) => abortRollout(name, options, output));
}

function parseShare(text: string): number {
  const percent = Number(/^(\d{1,3}(?:\.\d{1,4})?)%$/.exec(text)?.[1] ?? Number.NaN);
  if (percent > 0 && percent <= 100) return percent / 100;
  throw new InvalidArgumentError('A share is written in per cent, as in 5%.');
}

function collect(text: string, before: string[]): string[] {
  return [...before, text];
}
