import { type Command, InvalidArgumentError, Option } from 'commander';
import { objectives } from '../dro/training/settings.ts';
import { PreambleError } from '../errors.ts';
import { devices } from '../graph/session.ts';
import { onInterrupt } from './interrupt.ts';
import { wholeNumber } from './number-options.ts';
import { type Output, processOutput } from './output.ts';
import { newVersion } from './prompt/new-version.ts';
import { defaultOf } from './train/defaults.ts';
import { type TrainCommandOptions, trainCommand } from './train/run.ts';

/** `preamble train`. Failures are thrown as PreambleError for the top level to print. */
export function registerTrainCommand(program: Command, output: Output = processOutput): void {
  program
    .command('train')
    .description('Train a soft prompt that makes a model refuse harmful queries and answer harmless ones')
    .requiredOption('--model <model>', 'a directory or the name of a model')
    .requiredOption('--name <name>', 'what the prompt is called: NAME or NAME@VERSION', newVersion)
    .requiredOption(
      '--train <file...>',
      'labelled queries to train on: .jsonl, .csv (see preamble queries check --help)',
    )
    .requiredOption('--dev <file>', 'labelled queries, others than those, by which the best step is chosen')
    .option(
      '--anchor-queries <file...>',
      'queries that the directions of refusal are found on (default: those of --train)',
    )
    .addOption(
      new Option('--objective <objective>', 'what is optimised; they are explained below')
        .choices(objectives)
        .default('both' as const),
    )
    .option(
      '--start <start>',
      'what training starts from: text, vpt (the text, trained with --objective vpt first), or a prompt: NAME[@VERSION]',
      'text',
    )
    .addOption(
      new Option('--text <text>', 'the text to start from (default: two sentences that ask for refusals)').conflicts(
        'textFile',
      ),
    )
    .option('--text-file <file>', 'a UTF-8 file with that text')
    .option('--tokens <n>', 'how many virtual tokens (default: as many as the text has tokens)', wholeNumber(1))
    .addOption(
      new Option(
        '--position <position>',
        "where the prompt stands: at the head of the system message, or of the user's first message",
      )
        .choices(['system', 'user'] as const)
        .default('system' as const),
    )
    .option('--steps <n>', `steps of the optimiser ${defaultOf(({ steps }) => steps)}`, wholeNumber(1))
    .option('--batch <n>', `queries a step, half of them harmful ${defaultOf(({ batch }) => batch)}`, wholeNumber(2))
    .option(
      '--micro-batch <n>',
      `how many of those are computed at once: fewer need less memory ${defaultOf(({ microBatch }) => microBatch)}`,
      wholeNumber(1),
    )
    .option(
      '--learning-rate <rate>',
      `largest learning rate, after the warm-up ${defaultOf(({ learningRate }) => learningRate)}`,
      positive,
    )
    .option(
      '--keep <weight>',
      `how much the model's own answers to harmless queries count ${defaultOf(({ weights }) => weights.keep)}`,
      positive,
    )
    .option(
      '--harmless-weight <weight>',
      `how much a refused harmless query counts when the best step is chosen ${defaultOf(({ harmlessWeight }) => harmlessWeight)}`,
      positive,
    )
    .option(
      '--evaluate-every <n>',
      `steps between two looks at --dev ${defaultOf(({ evaluateEvery }) => evaluateEvery)}`,
      wholeNumber(1),
    )
    .option(
      '--patience <n>',
      `end after so many looks without a better one, 0 for never ${defaultOf(({ patience }) => patience)}`,
      wholeNumber(0),
    )
    .option(
      '--samples <n>',
      'sampled answers to each query under each prompt, from which the direction of refusal is found',
      wholeNumber(1),
      20,
    )
    .option(
      '--no-anchor-texts',
      'find that direction without the three textual prompts: a small model hardly refuses under them',
    )
    .option('--seed <n>', 'the same seed gives the same batches and sampled answers', wholeNumber(0), 1)
    .addOption(
      new Option('--weights <precision>', 'what the engine computes answers with')
        .choices(['4-bit', '8-bit', 'float32'] as const)
        .default('8-bit' as const),
    )
    .addOption(
      new Option('--device <device>', 'what gradients are computed on; answers are computed on the CPU')
        .choices(devices)
        .default('cpu' as const),
    )
    .option('--run <dir>', 'where work is kept as it is done (default: in the cache, under the name)')
    .option('--out <dir>', 'the directory of prompts to write into', 'prompts')
    .option(
      '--prompts <dir...>',
      'where the prompt of --start lies (default: ./prompts and those that come with Preamble)',
    )
    .option('--sign-with <file>', 'sign it with this private key: Ed25519, PEM')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', help)
    .action(async (options: TrainCommandOptions) => {
      const interrupt = onInterrupt();
      try {
        await trainCommand(options, output, interrupt.signal);
      } catch (error) {
        throw interrupt.signal.aborted ? stopped() : error;
      } finally {
        interrupt.forget();
      }
    });
}

const help = `
Objectives:
  vpt   cross-entropy: harmful queries toward a refusal, harmless ones toward what the model says by itself
  dro   the reference's terms (arXiv 2401.18018): states move along the directions of refusal and harmfulness, and nowhere else
  both  the sum of the two; docs/training.md says why

A model that hardly ever refuses has no direction of refusal: then start with --start vpt.

The same command goes on where it was cut off, to the same bits. The best step is the one with the largest share of refused harmful dev
queries minus that of refused harmless ones, among those whose text is sound. The test split has no part in this: preamble evaluate.

Exit code: 0 done, 1 failed or stopped, 2 used wrongly.

Example:
  preamble train --model smollm2-135m-instruct --name my/first --train train.jsonl --dev dev.jsonl --start vpt`;

function stopped(): PreambleError {
  return new PreambleError('cancelled', 'Stopped; what was computed is kept.', {
    action: 'The same command goes on from there.',
  });
}

function positive(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('It must be a number above 0.');
}
