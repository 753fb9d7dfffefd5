import { type Command, Option } from 'commander';
import { PreambleError } from '../errors.ts';
import { type GgufType, ggufTypes, graftGguf } from '../graft/gguf/graft-gguf.ts';
import { type GraftRequest, type GraftResult, graftModel } from '../graft/graft.ts';
import type { Graft } from '../graft/graft-file.ts';
import { restoreGraft } from '../graft/restore.ts';
import type { CopyMode } from '../graft/source-files.ts';
import { modelProgress } from './model-progress.ts';
import { formatBytes, type Output, processOutput, table, writeResult } from './output.ts';
import { openPrompts } from './prompt/directories.ts';
import { modelDirectoryFor } from './prompt/model.ts';

interface GraftOptions {
  model: string;
  prompt?: string[];
  prompts?: string[];
  out: string;
  format: 'hf' | 'gguf';
  ggufType?: GgufType;
  copy: CopyMode;
  dryRun?: boolean;
  restore?: boolean;
  json?: boolean;
}

/** `preamble graft`. Failures are thrown as PreambleError for the top level to print. */
export function registerGraftCommand(program: Command, output: Output = processOutput): void {
  program
    .command('graft')
    .description('Make a checkpoint in which soft prompts are special tokens, for servers that take text only')
    .requiredOption(
      '--model <model>',
      'a directory, the name of a model, or FILE.gguf; with --restore the grafted checkpoint',
    )
    .option('--prompt <prompt>', 'NAME@VERSION, or NAME for its newest stable version; may be repeated', collect)
    .option(
      '--prompts <dir>',
      'where prompts lie (may be repeated; default: ./prompts and those that come with Preamble)',
      collect,
    )
    .requiredOption('--out <dir>', 'the directory to write; it must not exist, or be empty')
    .addOption(
      new Option('--format <format>', 'what to write: a Hugging Face directory, or one GGUF file for llama.cpp')
        .choices(['hf', 'gguf'])
        .default('hf'),
    )
    .addOption(
      new Option('--gguf-type <type>', 'how a GGUF file holds matrices; a GGUF source keeps its own').choices(
        ggufTypes,
      ),
    )
    .addOption(
      new Option(
        '--copy <how>',
        'how files that stay as they are come along: as hard links where the disk can, or as copies',
      )
        .choices(['link', 'copy'])
        .default('link'),
    )
    .option('--dry-run', 'check everything, print the plan, write nothing')
    .option('--restore', 'write the original of a grafted checkpoint instead, bit for bit')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', help)
    .action(async (options: GraftOptions, command: Command) => {
      if (options.restore === true) return await restore(options, output);
      if (options.prompt === undefined) command.error("error: required option '--prompt <prompt>' not specified");
      await graft(options, options.prompt ?? [], output);
    });
}

const help = `
The source is only read. An interrupted run goes on where it stopped when the same command is given again.
Virtual tokens are never generated: their output rows are made and measured for that, and where they cannot be, the command fails.

Examples:
  preamble graft --model ./llama-3-8b --prompt llama-3-8b/dro --out ./llama-3-8b-grafted
  preamble graft --model smollm2-135m-instruct --prompt smollm2-135m/careful --out ./gguf --format gguf --gguf-type q8_0
  preamble graft --restore --model ./llama-3-8b-grafted --out ./llama-3-8b-again`;

async function graft(options: GraftOptions, references: readonly string[], output: Output): Promise<void> {
  const registry = await openPrompts(options);
  const prompts = references.map((reference) => registry.resolve(reference));
  const twice = prompts.find(({ digest }, index) => prompts.findIndex((other) => other.digest === digest) !== index);
  if (twice !== undefined) {
    throw new PreambleError('invalid_request', `${twice.label} is named twice.`, { action: 'Name each prompt once.' });
  }
  const isGguf = options.model.toLowerCase().endsWith('.gguf');
  if (isGguf && options.format !== 'gguf') {
    throw new PreambleError('invalid_request', 'A GGUF file is grafted into a GGUF file.', {
      action: 'Add --format gguf.',
    });
  }
  const progress = modelProgress(output);
  const request: GraftRequest = {
    source: isGguf ? options.model : await modelDirectoryFor(options.model, output),
    prompts,
    out: options.out,
    copy: options.copy,
    dryRun: options.dryRun === true,
    onProgress: (step, done, total) => progress.onEvent({ kind: 'progress', step, name: options.out, done, total }),
  };
  try {
    const result =
      options.format === 'gguf'
        ? await graftGguf({ ...request, type: options.ggufType ?? null })
        : await graftModel(request);
    progress.stop();
    writeResult(options.json, toJson(result, options.out), toText(result, options.out), output);
  } finally {
    progress.stop();
  }
}

async function restore(options: GraftOptions, output: Output): Promise<void> {
  const progress = modelProgress(output);
  let done = 0;
  try {
    const { source } = await restoreGraft(options.model, options.out, options.copy, (bytes, total) => {
      done += bytes;
      progress.onEvent({ kind: 'progress', step: 'write', name: options.out, done, total });
    });
    progress.stop();
    const value = { restored: source.modelId, directory: options.out };
    writeResult(options.json, value, `Restored ${source.modelId}, bit for bit (${options.out})`, output);
  } finally {
    progress.stop();
  }
}

function toJson({ plan, bytes, graft, isNew, ignored }: GraftResult, directory: string) {
  const { placement, prompts } = plan;
  return {
    directory,
    isNew: graft !== null && isNew,
    dryRun: graft === null,
    bytes,
    vocabSize: { before: plan.identity.vocabSize, after: placement.vocabSize },
    rows: placement.vocabSize === plan.identity.vocabSize ? 'free' : 'grown',
    renamed: placement.renamed.size,
    untied: plan.checkpoint.config.tiedEmbeddings,
    prompts: prompts.map(({ name, version, digest, tokens, spelled }) => ({
      name,
      version,
      digest,
      tokens: tokens.length,
      spelled,
    })),
    ignored,
    margin: graft?.margin ?? null,
  };
}

function toText(result: GraftResult, out: string): string {
  const { plan, graft, isNew, bytes, ignored } = result;
  const { placement, identity, prompts } = plan;
  const grown = placement.vocabSize - identity.vocabSize;
  const rows = [
    ['model', identity.id],
    [
      'rows',
      grown > 0
        ? `${grown} new, the vocabulary grows from ${identity.vocabSize} to ${placement.vocabSize}`
        : `free ones, the vocabulary stays ${identity.vocabSize}${placement.renamed.size > 0 ? `; ${placement.renamed.size} reserved tokens take new names` : ''}`,
    ],
    [
      'output rows',
      plan.checkpoint.config.tiedEmbeddings
        ? 'a matrix of their own: the model used its embeddings'
        : 'in the output matrix',
    ],
    ['to write', formatBytes(bytes)],
    ...(ignored.length > 0 ? [['left out', ignored.join(', ')]] : []),
    ...(graft === null ? [] : [['margin', margin(graft)]]),
  ];
  const list = prompts.map(({ name, version, tokens }) => [
    `${name}@${version}`,
    String(tokens.length),
    tokens[0]?.text ?? '',
    tokens.at(-1)?.text ?? '',
  ]);
  const heading = graft === null ? `Would write ${out}:` : isNew ? `Wrote ${out}:` : `${out} is there already:`;
  return `${heading}\n\n${table(['', ''], rows).split('\n').slice(1).join('\n')}\n${table(['PROMPT', 'TOKENS', 'FIRST', 'LAST'], list)}`;
}

function margin({ margin }: Graft): string {
  return `virtual tokens stay ${margin.worst.toFixed(1)} or more below the lowest logit of a real one (${margin.positions} positions)`;
}

function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}
