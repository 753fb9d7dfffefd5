import { access, constants } from 'node:fs/promises';
import { evaluatePrompt } from '../../dro/evaluation/evaluate.ts';
import { manifestEntries } from '../../dro/evaluation/manifest-entries.ts';
import { greedyProtocol, sampledProtocol } from '../../dro/evaluation/protocol.ts';
import type { Protocol } from '../../dro/evaluation/report.ts';
import type { QueryLabel } from '../../dro/queries/query.ts';
import { PreambleError, toError } from '../../errors.ts';
import { type RecordedEvaluation, recordEvaluation } from '../../prompts/record-evaluation.ts';
import type { PromptVersion } from '../../prompts/registry.ts';
import { signManifest } from '../../prompts/signature.ts';
import { type Output, writeResult } from '../output.ts';
import { openPrompts, type ReadOptions } from '../prompt/directories.ts';
import { readKey } from '../prompt/keys.ts';
import { modelDirectoryFor } from '../prompt/model.ts';
import { testedConditions } from './conditions.ts';
import { openParts, type PartsOptions } from './parts.ts';
import { evaluationProgress } from './progress.ts';
import { prepareOut, saveEvaluation } from './save.ts';
import { isTestSet, NEUTRAL_SET, readSets } from './sets.ts';
import { evaluationTable } from './table.ts';

export interface EvaluateCommandOptions extends ReadOptions, PartsOptions {
  prompt: string;
  /** Default: the one that the prompt was made for. */
  model?: string | undefined;
  set: string[];
  label?: QueryLabel | undefined;
  neutral: boolean;
  limit?: number | undefined;
  compare?: string[] | undefined;
  text?: string[] | undefined;
  sampled?: boolean | undefined;
  samples: number;
  maxTokens: number;
  seed: number;
  perplexity: boolean;
  out?: string | undefined;
  keepAnswers?: boolean | undefined;
  write?: boolean | undefined;
  signWith?: string | undefined;
}

/** Reads and checks everything first, then asks: a fault in what was given costs no answers. */
export async function runEvaluation(options: EvaluateCommandOptions, output: Output, signal: AbortSignal) {
  const { json, out, write = false } = options;
  const registry = await openPrompts(options);
  const artifact = registry.resolve(options.prompt);
  const compared = (options.compare ?? []).map(registry.resolve);
  const groups = await readSets([...options.set, ...(options.neutral ? [NEUTRAL_SET] : [])], options);
  const conditions = await testedConditions({ artifact, compared, texts: options.text ?? [] });
  const signingKey = options.signWith === undefined ? null : await readKey(options.signWith, 'private');
  const isTest = (await Promise.all(groups.map(isTestSet))).includes(true);
  if (out !== undefined) await prepareOut(out);
  if (write) await assertWritable(artifact);
  else if (isTest) output.stderr.write('This reads the test split, and without --write the prompt will not say so.\n');

  const directory = await modelDirectoryFor(options.model ?? artifact.manifest.model.id, output);
  await using parts = await openParts(directory, [artifact, ...compared], options, signal);
  const progress = evaluationProgress(output);
  const evaluated = await evaluatePrompt({
    artifact,
    model: artifact.manifest.model.id,
    source: parts.source,
    conditions,
    groups,
    protocols: protocolsOf(options),
    unprompted: options.perplexity ? parts.unprompted : null,
    guard: parts.guard,
    signal,
    onProgress: progress.onProgress,
  }).finally(progress.stop);

  const { report } = evaluated;
  if (out !== undefined) await saveEvaluation(out, evaluated, options.keepAnswers ?? false);
  writeResult(json, report, evaluationTable(report, hasColours(output)), output);
  if (!write) return;
  const entries = manifestEntries(report);
  const sign =
    signingKey === null ? undefined : (manifest: PromptVersion['manifest']) => signManifest(manifest, signingKey);
  const recorded = await recordEvaluation(artifact, { entries, testSetReads: isTest ? 1 : 0 }, { sign });
  output.stderr.write(writtenNote(artifact, recorded));
}

function protocolsOf({ sampled, samples, maxTokens, seed }: EvaluateCommandOptions): Protocol[] {
  const greedy = greedyProtocol({ maxTokens, seed });
  return sampled ? [greedy, sampledProtocol({ maxTokens, seed, samples })] : [greedy];
}

/** Told before an hour of answers, not after it. */
async function assertWritable({ label, directory }: PromptVersion): Promise<void> {
  await access(directory, constants.W_OK).catch((error: unknown) => {
    throw new PreambleError(
      'file_unwritable',
      `${label} in ${directory} cannot be written: ${toError(error).message}.`,
      {
        action: 'Copy the prompt to a directory of yours and evaluate it there (--prompts), or leave out --write.',
        cause: error,
      },
    );
  });
}

function writtenNote({ label, digest: before }: PromptVersion, recorded: RecordedEvaluation): string {
  const { digest, manifest, signatureDropped } = recorded;
  const reads = manifest.testSetReads === undefined ? '' : ` Its test split has been read ${manifest.testSetReads}×.`;
  const unsigned = signatureDropped ? ' Its signature no longer held and was taken out: sign it with --sign-with.' : '';
  return `Wrote the figures into ${label}, whose digest is now ${digest} (was ${before.slice(0, 12)}…).${reads}${unsigned}\n`;
}

function hasColours({ stdout }: Output): boolean {
  return 'isTTY' in stdout && stdout.isTTY === true && process.env['NO_COLOR'] === undefined;
}
