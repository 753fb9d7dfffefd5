import type { UpstreamSettings } from '../../config/schema/backend.ts';
import { describe, PreambleError } from '../../errors.ts';
import type { PromptVersion } from '../../prompts/registry.ts';
import type { Reference } from './check.ts';
import type { Dialect, Wire } from './dialect.ts';
import { createUpstreamServer, type UpstreamServer } from './server.ts';

/** One line of a diagnosis. */
export interface Finding {
  /** The server's URL. */
  readonly where: string;
  readonly name: string;
  readonly outcome: 'ok' | 'warning' | 'failed';
  readonly finding: string;
  readonly action: string | null;
}

export interface DiagnoseOptions {
  readonly settings: UpstreamSettings;
  readonly dialect: Dialect;
  readonly wire: Wire;
  readonly apiKey: string | null;
  readonly prompts: readonly PromptVersion[];
  /** Where the model can be computed here too. */
  readonly reference?: Reference;
  readonly signal: AbortSignal;
}

/** Looks at every server of a pool, with every prompt that it is to serve, and says what it finds as it finds it. */
export async function* diagnoseUpstream(options: DiagnoseOptions): AsyncGenerator<Finding> {
  for (const url of options.settings.urls) {
    const server = createUpstreamServer(url, options.settings);
    try {
      yield* diagnoseServer(server, options);
    } catch (error) {
      if (!(error instanceof PreambleError)) throw error;
      const action = error.action ?? 'Check the URL, and that the server runs.';
      yield { where: url, name: 'reachable', outcome: 'failed', finding: reasonOf(error), action };
    } finally {
      await server.close();
    }
  }
}

async function* diagnoseServer(
  server: UpstreamServer,
  { settings, dialect, wire, apiKey, prompts, reference, signal }: DiagnoseOptions,
): AsyncGenerator<Finding> {
  const call = { headers: apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }, signal };
  const where = server.url;
  const { model, adapters, contextLength } = await dialect.discover(server, settings.model ?? null, call);
  const context = contextLength === null ? '' : `, context of ${contextLength} tokens`;
  const loras = adapters.length === 0 ? '' : `, adapters ${adapters.join(', ')}`;
  yield { where, name: 'model', outcome: 'ok', finding: `${model}${context}${loras}.`, action: null };
  yield { where, ...(await dialect.checkVersion({ server, model, call })) };
  for (const prompt of prompts) {
    const misfit = reasonItMisfits(wire, prompt);
    if (misfit !== null) {
      yield { where, name: prompt.label, outcome: 'failed', finding: misfit.message, action: misfit.action ?? null };
      continue;
    }
    for (const check of await wire.check({ server, model, call, ...(reference && { reference }) }, prompt)) {
      yield { where, ...check, name: `${prompt.label}: ${check.name}` };
    }
  }
}

function reasonItMisfits(wire: Wire, prompt: PromptVersion): PreambleError | null {
  try {
    wire.assertFits(prompt);
    return null;
  } catch (error) {
    if (error instanceof PreambleError) return error;
    throw error;
  }
}

function reasonOf(error: PreambleError): string {
  return error.cause instanceof Error && error.cause.message !== ''
    ? `${error.message.replace(/\.$/, '')}: ${error.cause.message}.`
    : describe(error);
}
