import type { Command } from 'commander';
import { dialectOf, loadWire } from '../backends/server-kinds.ts';
import { diagnoseUpstream, type Finding } from '../backends/upstream/diagnose.ts';
import { startReference } from '../backends/virtual-tokens/reference.ts';
import type { Config } from '../config/schema.ts';
import { readSecret } from '../config/secret.ts';
import { loadConfig } from '../config.ts';
import { PreambleError } from '../errors.ts';
import { diagnoseGuard } from '../guard/diagnose.ts';
import { createLogger } from '../logging.ts';
import { obtainModel } from '../model/obtain/obtain.ts';
import { assertPromptFits } from '../prompts/compatibility.ts';
import { identifyModel } from '../prompts/model-identity.ts';
import type { PromptVersion } from '../prompts/registry.ts';
import { type Prepared, prepare } from '../startup/live-gateway.ts';
import { readGuardKey } from '../startup/open-guard.ts';
import { openShared } from '../startup/shared.ts';
import { modelProgress } from './model-progress.ts';
import { type Output, processOutput, writeResult } from './output.ts';

interface DoctorOptions {
  config?: string;
  json?: boolean;
}

interface ModelFinding extends Finding {
  /** Null for the guard, which judges the answers of all. */
  readonly model: string | null;
}

/** Longest time for the whole diagnosis; probes ask for one token each. */
const LIMIT_MS = 300_000;
const signs = { ok: '✓', warning: '!', failed: '✗' } as const;
const colors = { ok: 32, warning: 33, failed: 31 } as const;

/** `preamble doctor`. Ends with 1 where something would not serve. */
export function registerDoctorCommand(program: Command, output: Output = processOutput): void {
  program
    .command('doctor')
    .description(
      'Look at every model server with every prompt and at the guard, and say what to do about what is wrong',
    )
    .option('--config <file>', 'settings (default: ./preamble.yaml, else what is built in)')
    .option('--json', 'print the result as JSON')
    .action((options: DoctorOptions) => doctor(options, output));
}

async function doctor(options: DoctorOptions, output: Output): Promise<void> {
  const { config } = await loadConfig({ file: options.config });
  await using shared = await openShared(config, createLogger({ ...config.log, level: 'silent' }));
  const prepared = await prepare(config, shared);
  const findings: ModelFinding[] = [];
  let last = '';
  for await (const finding of diagnose(prepared, output)) {
    findings.push(finding);
    if (options.json === true) continue;
    const heading = `${finding.model ?? 'guard'}  ${finding.where}`;
    if (heading !== last) output.stdout.write(`${heading}\n`);
    last = heading;
    output.stdout.write(line(finding));
  }
  if (options.json === true) writeResult(true, findings, '', output);
  const failures = findings.filter(({ outcome }) => outcome === 'failed').length;
  if (failures > 0) {
    throw new PreambleError('model_unavailable', `${failures} of ${findings.length} checks failed.`, {
      action: 'Each says what to do.',
    });
  }
}

async function* diagnose({ config, prompts }: Prepared, output: Output): AsyncGenerator<ModelFinding> {
  for (const [model, settings] of Object.entries(config.models)) {
    const versions = prompts.flatMap(({ model: of, version }) => (of === model && version !== null ? [version] : []));
    for await (const finding of diagnoseModel(settings, versions, output)) yield { ...finding, model };
  }
  const { guard } = config;
  if (guard === undefined) return;
  const apiKey = await readGuardKey(guard);
  yield { ...(await diagnoseGuard(guard, apiKey, AbortSignal.timeout(LIMIT_MS))), model: null };
}

async function* diagnoseModel(
  { backend }: Config['models'][string],
  prompts: readonly PromptVersion[],
  output: Output,
): AsyncGenerator<Finding> {
  const directoryOf = async (model: string) => {
    const progress = modelProgress(output);
    try {
      return (await obtainModel(model, { onEvent: progress.onEvent })).directory;
    } finally {
      progress.stop();
    }
  };
  if (backend.kind === 'embedded') {
    yield* diagnoseEmbedded(await directoryOf(backend.model), prompts);
    return;
  }
  const { apiKey } = backend;
  const wire = await loadWire(backend, directoryOf);
  // Where the prompt goes as embeddings, the server itself is asked about its text.
  const computes = wire.local !== null && wire.guard !== null;
  await using reference = computes && wire.local !== null ? await startReference(wire.local) : null;
  yield* diagnoseUpstream({
    settings: backend,
    dialect: dialectOf(backend),
    wire,
    ...(reference && { reference }),
    apiKey: apiKey === undefined ? null : await readSecret(apiKey),
    prompts,
    signal: AbortSignal.timeout(LIMIT_MS),
  });
}

async function* diagnoseEmbedded(where: string, prompts: readonly PromptVersion[]): AsyncGenerator<Finding> {
  const identity = await identifyModel(where);
  yield { where, name: 'model', outcome: 'ok', finding: `${identity.id}, ${identity.architecture}.`, action: null };
  for (const { label, manifest } of prompts) {
    try {
      const fit = assertPromptFits(manifest, identity);
      const finding = fit === 'sameEmbeddings' ? 'Made for it.' : 'Made for another conversion of it.';
      yield { where, name: label, outcome: 'ok', finding, action: null };
    } catch (error) {
      if (!(error instanceof PreambleError)) throw error;
      yield { where, name: label, outcome: 'failed', finding: error.message, action: error.action ?? null };
    }
  }
}

function line({ outcome, name, finding, action }: Finding): string {
  const coloured = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
  const sign = coloured ? `\u001b[${colors[outcome]}m${signs[outcome]}\u001b[39m` : signs[outcome];
  return `  ${sign} ${name}: ${finding}${action === null ? '' : ` ${action}`}\n`;
}
