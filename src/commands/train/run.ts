import { join } from 'node:path';
import type { SamplingPlan } from '../../dro/anchors/count-refusals.ts';
import { loadAnchorModel } from '../../dro/anchors/load-anchor-model.ts';
import { viewAnchors } from '../../dro/pictures/anchors-view.ts';
import { representationsOf } from '../../dro/pictures/representations.ts';
import type { Query } from '../../dro/queries/query.ts';
import { digestOfQueries } from '../../dro/queries/query-digest.ts';
import { readQueries } from '../../dro/queries/read-queries.ts';
import { openRunDirectory } from '../../dro/training/run-directory.ts';
import { runTraining, type TrainedPrompt } from '../../dro/training/run-training.ts';
import {
  defaultSettings,
  isTrainingSettings,
  type Objective,
  type TrainingSettings,
} from '../../dro/training/settings.ts';
import { trainedPrompt } from '../../dro/training/trained-prompt.ts';
import { anchorsData, trainingReport } from '../../dro/training/training-report.ts';
import type { WeightPrecision } from '../../engine/decoder/weights.ts';
import { PreambleError } from '../../errors.ts';
import { encodeBf16 } from '../../formats/half-precision.ts';
import { assertDevice } from '../../graph/device.ts';
import type { Device } from '../../graph/session.ts';
import { openCache } from '../../model/obtain/cache.ts';
import { writePrompt } from '../../prompts/artifact-write.ts';
import { toPromptModel } from '../../prompts/model-identity.ts';
import { promptLabel } from '../../prompts/name.ts';
import { signManifest } from '../../prompts/signature.ts';
import type { SoftPrompt } from '../../prompts/soft-prompt.ts';
import { version } from '../../version.ts';
import { type Output, writeResult } from '../output.ts';
import { readKey } from '../prompt/keys.ts';
import type { NewVersion } from '../prompt/make.ts';
import { modelDirectoryFor } from '../prompt/model.ts';
import { evaluateOnDev } from './evaluate-on-dev.ts';
import { trainingProgress } from './progress.ts';
import { saveReport } from './save-report.ts';
import { type StartOptions, startingPrompt } from './start.ts';

export interface TrainCommandOptions extends StartOptions {
  model: string;
  name: NewVersion;
  train: string[];
  dev: string;
  /** Default: those of `train`. */
  anchorQueries?: string[] | undefined;
  objective: Objective;
  steps?: number | undefined;
  batch?: number | undefined;
  microBatch?: number | undefined;
  learningRate?: number | undefined;
  keep?: number | undefined;
  harmlessWeight?: number | undefined;
  evaluateEvery?: number | undefined;
  patience?: number | undefined;
  seed: number;
  samples: number;
  anchorTexts: boolean;
  weights: WeightPrecision;
  device: Device;
  run?: string | undefined;
  out: string;
  signWith?: string | undefined;
}

/** Longest sampled answer, in tokens, and the reference's sampling. */
const PLAN = { temperature: 1, topP: 0.9, maxTokens: 64, untilDecided: true };

/** Trains, and writes the artifact. */
export async function trainCommand(options: TrainCommandOptions, output: Output, signal: AbortSignal): Promise<void> {
  await assertDevice(options.device);
  const train = await splitOf(options.train, 'train');
  const dev = await splitOf([options.dev], 'dev');
  assertApart(train, dev);
  const { anchorQueries: anchorFiles } = options;
  const anchorQueries = anchorFiles === undefined ? train : await splitOf(anchorFiles, 'anchor');
  const key = options.signWith === undefined ? null : await readKey(options.signWith, 'private');
  const directory = await modelDirectoryFor(options.model, output);
  const model = await loadAnchorModel(directory);
  const start = await startingPrompt(directory, model.identity, options);
  const label = promptLabel(options.name.name, options.name.version);
  const root = options.run ?? join(openCache().root, 'training', label.replaceAll('/', '--'));
  const plan: SamplingPlan = { ...PLAN, samples: options.samples, seed: options.seed };

  const stage = async (objective: Objective, from: SoftPrompt) => {
    const settings = settingsFor(objective, options);
    const run = await openRunDirectory(join(root, objective), {
      tool: `preamble ${version}`,
      model: { ...toPromptModel(model.identity), weightsSha256: model.weightsSha256 },
      start: from.digest,
      position: options.position,
      train: digestOfQueries(train),
      anchorQueries: digestOfQueries(anchorQueries),
      dev: digestOfQueries(dev),
      settings,
      plan: { ...plan },
      anchorTexts: options.anchorTexts,
      weights: options.weights,
    });
    const amounts = { steps: settings.steps, queries: anchorQueries.length, samples: plan.samples };
    const progress = trainingProgress(amounts, output);
    const trained = await runTraining(
      {
        model,
        train,
        dev,
        anchorQueries,
        start: from,
        position: options.position,
        settings,
        run,
        cacheDirectory: root,
        plan,
        anchorTexts: options.anchorTexts,
        weights: options.weights,
        device: options.device,
        onEvent: progress.onEvent,
      },
      signal,
    ).finally(progress.stop);
    return { name: objective, settings, weights: settings.weights, trained };
  };

  const first = options.start === 'vpt' ? await stage('vpt', start.prompt) : null;
  const from = first === null ? start.prompt : trainedPrompt(start.prompt, 'vpt', first.trained.best.softPrompt);
  const last = await stage(options.objective, from);
  const { settings, trained } = last;

  const { tokens, hiddenSize } = from;
  const halves = new Uint16Array(trained.best.softPrompt.length);
  encodeBf16(trained.best.softPrompt, halves);
  const written = await writePrompt(
    options.out,
    {
      ...options.name,
      model: toPromptModel(model.identity),
      position: options.position,
      text: start.text,
      training: {
        objective: options.objective,
        hyperparameters: hyperparameters(settings, options, from, trained),
        anchors: trainedOn(options, train, dev),
        seed: options.seed,
        tool: `preamble ${version}`,
        curve: trained.metrics.map((metrics) => curvePoint(metrics, dev)),
        ...representations(trained),
      },
      evaluation: [],
    },
    { dtype: 'BF16', tokens, hiddenSize, bytes: new Uint8Array(halves.buffer) },
    key === null ? {} : { sign: (manifest) => signManifest(manifest, key) },
  );
  const evaluation = await evaluateOnDev(
    {
      directory,
      modelId: model.identity.id,
      dev,
      name: options.dev,
      weights: options.weights,
      position: options.position,
      text: start.text,
      // what vPT alone gives
      first: first === null ? null : from,
      trained: trainedPrompt(from, label, trained.best.softPrompt),
    },
    output,
    signal,
  );
  const stages = first === null ? [last] : [first, last];
  const report = await saveReport(
    join(root, 'report'),
    trainingReport({ manifest: written.manifest, stages, dev, evaluation }),
  );
  const { best } = trained;
  writeResult(
    options.json,
    {
      prompt: label,
      digest: written.digest,
      directory: written.directory,
      tokens,
      bestStep: best.step,
      score: best.score,
      report,
    },
    `Wrote ${label}, ${tokens} virtual tokens, from step ${best.step} (${written.directory})\n` +
      `How it was trained: ${report}\n` +
      `What it protects: preamble evaluate --prompt ${label} --set ${options.dev}`,
    output,
  );
}

async function splitOf(paths: readonly string[], name: string): Promise<Query[]> {
  const queries = (await Promise.all(paths.map((path) => readQueries(path)))).flat();
  for (const label of ['harmful', 'harmless'] as const) {
    if (queries.some((query) => query.label === label)) continue;
    throw new PreambleError('invalid_request', `The ${name} split (${paths.join(', ')}) has no ${label} queries.`, {
      action: 'Give both: a prompt is to tell them apart.',
    });
  }
  return queries;
}

/** A prompt that was trained on what it is chosen by looks better than it is. */
function assertApart(train: readonly Query[], dev: readonly Query[]): void {
  const seen = new Set(train.map(({ text }) => text.toLowerCase()));
  const shared = dev.find(({ text }) => seen.has(text.toLowerCase()));
  if (shared === undefined) return;
  throw new PreambleError('invalid_request', `The query "${shared.text}" is in the train split and in the dev split.`, {
    action: 'Take it out of one of them; preamble queries check finds all such queries.',
  });
}

function settingsFor(objective: Objective, options: TrainCommandOptions): TrainingSettings {
  const defaults = defaultSettings(objective);
  const settings = {
    ...defaults,
    weights: {
      ...defaults.weights,
      ...(options.keep === undefined || defaults.weights.keep === 0 ? {} : { keep: options.keep }),
    },
    steps: options.steps ?? defaults.steps,
    batch: options.batch ?? defaults.batch,
    microBatch: options.microBatch ?? defaults.microBatch,
    learningRate: options.learningRate ?? defaults.learningRate,
    evaluateEvery: options.evaluateEvery ?? defaults.evaluateEvery,
    patience: options.patience ?? defaults.patience,
    harmlessWeight: options.harmlessWeight ?? defaults.harmlessWeight,
    seed: options.seed,
  };
  if (isTrainingSettings(settings)) return settings;
  throw new PreambleError('invalid_request', 'These settings do not go together: --batch must be even.', {
    action: 'See preamble train --help.',
  });
}

function trainedOn(
  { train: trainFiles, dev: devFile }: TrainCommandOptions,
  train: readonly Query[],
  dev: readonly Query[],
) {
  return [
    { set: trainFiles.join(' '), sha256: digestOfQueries(train) },
    { set: devFile, sha256: digestOfQueries(dev) },
  ];
}

function hyperparameters(
  { weights, objective: _, seed: __, ...rest }: TrainingSettings,
  { start, samples }: TrainCommandOptions,
  { tokens }: SoftPrompt,
  { best, directions }: TrainedPrompt,
) {
  return {
    ...rest,
    ...Object.fromEntries(Object.entries(weights).map(([name, weight]) => [`weight.${name}`, weight])),
    start,
    tokens,
    bestStep: best.step,
    ...(directions === null
      ? {}
      : {
          anchorSamples: samples,
          'probe.refusal.accuracy': directions.refusal.accuracy,
          'probe.harmfulness.accuracy': directions.harmfulness.accuracy,
          'probe.cosine': directions.cosine,
        }),
  };
}

function representations(trained: TrainedPrompt) {
  const anchors = anchorsData(trained);
  return anchors === null ? {} : { representations: representationsOf(viewAnchors(anchors)) };
}

function curvePoint(metrics: TrainedPrompt['metrics'][number], dev: readonly Query[]): Record<string, number> {
  if (metrics.kind === 'step') return { step: metrics.step, loss: metrics.loss, ...metrics.terms };
  const { step, harmfulRefused, harmlessRefused, repetition, score } = metrics;
  const count = (label: Query['label']) => dev.filter((query) => query.label === label).length;
  // Of how many the rates are: whoever draws them needs it for their intervals.
  const queries = { harmfulQueries: count('harmful'), harmlessQueries: count('harmless') };
  return { step, harmfulRefused, harmlessRefused, ...queries, repetition, score };
}
