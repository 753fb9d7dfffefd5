import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type AnchorOrigin, writeAnchorData } from '../dro/anchors/anchor-data.ts';
import { collectAnchors } from '../dro/anchors/collect-anchors.ts';
import type { SamplingPlan } from '../dro/anchors/count-refusals.ts';
import { loadAnchorModel } from '../dro/anchors/load-anchor-model.ts';
import { judgedBy } from '../dro/answers/judge.ts';
import { noPrompt, type PromptUnderTest, softPrompt, textPrompt } from '../dro/answers/prompt-under-test.ts';
import { textualPrompts } from '../dro/answers/textual-prompts.ts';
import { type QueryLabel, queryLabels } from '../dro/queries/query.ts';
import { readQueries } from '../dro/queries/read-queries.ts';
import { weightPrecisions } from '../engine/decoder/weights.ts';
import { PreambleError } from '../errors.ts';
import { openCache } from '../model/obtain/cache.ts';
import { assertPromptFits } from '../prompts/compatibility.ts';
import type { ModelIdentity } from '../prompts/model-identity.ts';
import { shippedPromptDirectory } from '../prompts/shipped.ts';
import { anchorProgress } from './anchors/progress.ts';
import { type ClosableSource, chooseSource, type SourceOptions } from './anchors/source.ts';
import { summarizeAnchors, summaryTable } from './anchors/summary.ts';
import { onInterrupt } from './interrupt.ts';
import { wholeNumber } from './number-options.ts';
import { type Output, processOutput, writeResult } from './output.ts';
import { openPrompts, type ReadOptions } from './prompt/directories.ts';
import { modelDirectoryFor } from './prompt/model.ts';

interface AnchorOptions extends SourceOptions, ReadOptions {
  model: string;
  queries: string;
  label?: QueryLabel;
  prompt?: string[];
  text?: string[];
  samples: number;
  temperature: number;
  topP: number;
  maxTokens: number;
  seed: number;
  out?: string;
}

const MAX_SAMPLES = 1_000;
/** Two or three sentences: what refuses does so by then. */
const MAX_TOKENS = 64;
const MAX_ANSWER_TOKENS = 4_096;
const MAX_SEED = 2 ** 31 - 1;

/** `preamble anchors`. Failures are thrown as PreambleError for the top level to print. */
export function registerAnchorsCommand(program: Command, output: Output = processOutput): void {
  program
    .command('anchors')
    .description('Record what a model makes of every query: its last state, and how often its answers refuse')
    .requiredOption('--model <model>', 'the model: a directory or the name of a model')
    .option(
      '--queries <file>',
      'the queries: .jsonl, .csv or .txt',
      join(shippedPromptDirectory, 'queries/train.jsonl'),
    )
    .addOption(new Option('--label <label>', 'the label of queries that have none in the file').choices(queryLabels))
    .option('--prompt <prompt...>', 'also under these soft prompts: NAME or NAME@VERSION')
    .option('--prompts <directory...>', 'where prompts lie (default: ./prompts and those that come with Preamble)')
    .option('--text <text...>', "under these textual safety prompts, in place of the three of the method's authors")
    .option('--samples <n>', 'answers sampled for each query and prompt', wholeNumber(1, MAX_SAMPLES), 20)
    .option('--temperature <t>', '0 takes the likeliest token always, and one answer a query', number(0, 2), 1)
    .option('--top-p <p>', 'sample from the likeliest tokens that have this probability together', number(0.01, 1), 0.9)
    .option('--max-tokens <n>', 'longest answer, in tokens', wholeNumber(1, MAX_ANSWER_TOKENS), MAX_TOKENS)
    .option('--seed <n>', 'the same seed gives the same answers', wholeNumber(0, MAX_SEED), 0)
    .addOption(
      new Option('--weights <precision>', 'what the engine in this process computes with')
        .choices(weightPrecisions)
        .default('8-bit' as const),
    )
    .option('--server <url...>', 'let OpenAI-compatible servers of the same model answer, spread over them')
    .option('--server-model <name>', "the servers' name for the model (default: the only one that they list)")
    .option('--server-key-env <variable>', 'the environment variable that holds their API key')
    .option('--out <directory>', 'write anchors.safetensors and anchors.json into this directory')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', help)
    .action((options: AnchorOptions) => recordAnchors(options, output));
}

const help = `
For every query, under no prompt, under each text and under each soft prompt: the final-layer state at the last token of the input,
and the share of sampled answers that refuse. An answer is heard until it is decided. States are always computed here, answers by the
model in this process or by --server.

What is computed is kept in the cache and not computed again; Ctrl-C keeps it too, and the same command goes on from there.

Exit code: 0 done, 1 failed or stopped, 2 used wrongly.

Examples:
  preamble anchors --model smollm2-135m-instruct --out anchors
  preamble anchors --model ./mistral-7b --server http://gpu1:8000 http://gpu2:8000 --out anchors`;

async function recordAnchors(options: AnchorOptions, output: Output): Promise<void> {
  const queries = await readQueries(options.queries, options);
  const model = await loadAnchorModel(await modelDirectoryFor(options.model, output));
  const prompts = await promptsOf(options, model.identity);
  const plan = planOf(options, model.template.readsReasoning);
  const progress = anchorProgress({ queries: queries.length, samples: plan.samples }, output);
  const interrupt = onInterrupt();
  let source: ClosableSource | null = null;
  try {
    source = await chooseSource(model, options, interrupt.signal);
    const cacheDirectory = join(openCache().root, 'anchors');
    const { onEvent } = progress;
    const work = { model, queries, prompts, plan, source, cacheDirectory, onEvent };
    const collected = await collectAnchors(work, interrupt.signal);
    const origin = originOf(model.identity, source.name, plan);
    if (options.out !== undefined) await writeAnchorData(options.out, collected, origin);
    const sets = summarizeAnchors(collected);
    const written = options.out === undefined ? '' : `\nWrote ${options.out}\n`;
    const value = { ...origin, queries: queries.length, sets, out: options.out ?? null };
    writeResult(options.json, value, `${summaryTable(sets)}${written}`, output);
  } catch (error) {
    progress.stop();
    throw withWhatIsKept(error, progress.kept, queries.length * prompts.length);
  } finally {
    await source?.close();
    interrupt.forget();
  }
}

/** None, the texts, the soft prompts. Throws `prompt_mismatch` for one of another model. */
async function promptsOf(options: AnchorOptions, model: ModelIdentity): Promise<PromptUnderTest[]> {
  const texts = options.text?.map((text) => textPrompt(`text-${shortDigest(text)}`, text)) ?? textualPrompts;
  const soft: PromptUnderTest[] = [];
  if (options.prompt !== undefined) {
    const registry = await openPrompts(options);
    for (const name of options.prompt) {
      const version = registry.resolve(name);
      assertPromptFits(version.manifest, model);
      soft.push(softPrompt(await version.load(), version.manifest.position));
    }
  }
  return [noPrompt, ...texts, ...soft];
}

/** Names a text whatever stands beside it. */
function shortDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

function planOf(options: AnchorOptions, readsReasoning: boolean): SamplingPlan {
  const { samples, temperature, topP, seed, maxTokens } = options;
  // The first sentences of who reasons aloud are no answer.
  const untilDecided = !readsReasoning;
  return { samples: temperature === 0 ? 1 : samples, temperature, topP, seed, maxTokens, untilDecided };
}

function originOf(model: ModelIdentity, answersFrom: string, plan: SamplingPlan): AnchorOrigin {
  const { samples, temperature, topP, maxTokens, seed } = plan;
  const { id, embeddingsSha256 } = model;
  return { model: id, embeddingsSha256, answersFrom, samples, temperature, topP, maxTokens, seed, detector: judgedBy };
}

/** Says that nothing is lost, and how it goes on. */
function withWhatIsKept(error: unknown, kept: number, all: number): unknown {
  if (!(error instanceof PreambleError) || error.code === 'internal') return error;
  if (error.code === 'context_length_exceeded') return error;
  const goOn = `The answers to ${kept} of ${all} queries are kept: the same command goes on from there.`;
  const action = error.action === undefined ? goOn : `${error.action} ${goOn}`;
  return new PreambleError(error.code, error.message, { action, cause: error });
}

function number(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+(\.\d+)?$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a number from ${least} to ${most}.`);
  };
}
