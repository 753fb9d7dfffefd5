import { type Command, Option } from 'commander';
import { exportFormats } from '../prompts/export.ts';
import { type Output, processOutput } from './output.ts';
import type { ReadOptions } from './prompt/directories.ts';
import { listPrompts } from './prompt/list.ts';
import {
  addPrompt,
  type ExportOptions,
  exportPromptTo,
  type FromTextOptions,
  makeFromText,
  type WriteOptions,
} from './prompt/make.ts';
import { newVersion } from './prompt/new-version.ts';
import type { RedisOptions } from './prompt/redis.ts';
import { listPushed, type PullOptions, promotePrompt, pullPrompt, pushPrompt, rollBackPrompt } from './prompt/share.ts';
import { showPrompt } from './prompt/show.ts';
import { type VerifyOptions, verifyPrompts } from './prompt/verify.ts';

const reference = 'NAME@VERSION, or NAME for its newest stable version';

/** `preamble prompt list|show|verify|add|export|from-text|push|pull|promote|rollback`. Failures are thrown as PreambleError for the top level to print. */
export function registerPromptCommands(program: Command, output: Output = processOutput): void {
  const prompt = program.command('prompt').description('Make, list, check and hand on soft prompts');
  sharing(
    reading(prompt.command('list')),
    '--redis [url]',
    'show what is in Redis instead: in that of the settings, or at this address',
  )
    .description('Show the prompts that are there')
    .action((options: ReadOptions & RedisOptions) =>
      options.redis === undefined ? listPrompts(options, output) : listPushed(options, output),
    );
  reading(prompt.command('show'))
    .description('Show what one prompt is: its model, text, training and figures')
    .argument('<prompt>', reference)
    .action((name: string, options: ReadOptions) => showPrompt(name, options, output));
  reading(prompt.command('verify'))
    .description('Read the files of one prompt, or of all, and check digests, shapes and values')
    .argument('[prompt]', `${reference} (default: all)`)
    .option('--model <model>', 'check also that they fit this model: a directory or the name of a model')
    .option('--public-key <file>', 'check also that this key signed them: Ed25519, PEM')
    .action((name: string | undefined, options: VerifyOptions) => verifyPrompts(name, options, output));
  writing(prompt.command('add'))
    .description(
      'Import a soft prompt: a PEFT prompt-tuning adapter, or a safetensors or torch.save file with the tensor soft_prompt',
    )
    .argument('<path>', "the adapter's directory, or the file")
    .action((path: string, options: WriteOptions) => addPrompt(path, options, output));
  reading(prompt.command('export'))
    .description('Write the rows of a prompt for other programs: as one tensor, or as a PEFT adapter')
    .argument('<prompt>', reference)
    .requiredOption('--out <path>', 'the file (safetensors) or directory (peft) to write; it must not exist')
    .addOption(new Option('--format <format>', 'what to write').choices(exportFormats).default('safetensors' as const))
    .action((name: string, options: ExportOptions) => exportPromptTo(name, options, output));
  writing(prompt.command('from-text'))
    .description("Make a prompt of a text's token embeddings: the model answers as under the text itself")
    .addOption(new Option('--text <text>', 'the text; this or --text-file').conflicts('textFile'))
    .option('--text-file <file>', 'a UTF-8 file with the text; the line breaks at its end are left out')
    .action((options: FromTextOptions, command: Command) => {
      if (options.text === undefined && options.textFile === undefined) {
        command.error('error: one of --text and --text-file is required');
      }
      return makeFromText(options, output);
    });
  registerSharing(prompt, output);
}

/** What gateways that share a Redis serve. */
function registerSharing(prompt: Command, output: Output): void {
  sharing(reading(prompt.command('push')))
    .description('Put a prompt into Redis, for gateways to take from there')
    .argument('<prompt>', reference)
    .action((name: string, options: RedisOptions & ReadOptions) => pushPrompt(name, options, output));
  sharing(prompt.command('pull'))
    .description('Take a prompt out of Redis, into a directory')
    .argument('<prompt>', 'NAME@VERSION, or NAME for the version that is promoted')
    .option('--out <dir>', 'the directory of prompts to write into', 'prompts')
    .option('--json', 'print the result as JSON')
    .action((name: string, options: PullOptions) => pullPrompt(name, options, output));
  sharing(prompt.command('promote'))
    .description('Make a version the one that its name means, on every gateway within a second')
    .argument('<prompt>', 'NAME@VERSION, which has been pushed')
    .option('--json', 'print the result as JSON')
    .action((name: string, options: RedisOptions) => promotePrompt(name, options, output));
  sharing(prompt.command('rollback'))
    .description('Return to the version that was promoted before')
    .argument('<prompt>', 'NAME, without a version')
    .option('--json', 'print the result as JSON')
    .action((name: string, options: RedisOptions) => rollBackPrompt(name, options, output));
}

/** Options of commands that work on what gateways share. */
export function sharing(
  command: Command,
  flag = '--redis <url>',
  meaning = 'use this Redis instead: then the settings say nothing, the next four options do',
) {
  return command
    .option('--config <file>', 'settings, which name the Redis (default: ./preamble.yaml)')
    .option(flag, meaning)
    .option('--redis-user <name>', 'its ACL user')
    .option('--redis-password-file <file>', 'file that holds its password')
    .option('--redis-ca <file>', 'certificate authority of its TLS (rediss://), PEM')
    .option('--redis-prefix <prefix>', 'what all its keys begin with (default: preamble:)');
}

function reading(command: Command) {
  return command
    .option(
      '--prompts <dir>',
      'where prompts lie (may be repeated; default: ./prompts and those that come with Preamble)',
      collect,
    )
    .option('--json', 'print the result as JSON');
}

function writing(command: Command) {
  return command
    .requiredOption('--model <model>', 'the model that it is for: a directory or the name of a model')
    .requiredOption('--name <name>', 'what it is called: NAME or NAME@VERSION (default version: 1.0.0)', newVersion)
    .option('--out <dir>', 'the directory of prompts to write into', 'prompts')
    .addOption(
      new Option(
        '--position <position>',
        "where it stands: at the head of the system message, or of the user's first message",
      )
        .choices(['system', 'user'] as const)
        .default('system' as const),
    )
    .option('--sign-with <file>', 'sign it with this private key: Ed25519, PEM')
    .option('--json', 'print the result as JSON');
}

function collect(directory: string, before: string[] | undefined): string[] {
  return [...(before ?? []), directory];
}
