import { type Command, InvalidArgumentError } from 'commander';
import type { Logger } from 'pino';
import type { TracingSettings } from '../config/schema/tracing.ts';
import { loadConfig } from '../config.ts';
import { createLogger } from '../logging.ts';
import { serve } from '../server.ts';
import { banner, baseUrl } from '../startup/banner.ts';
import { keepReloaded } from '../startup/keep-reloaded.ts';
import { createGateway, prepare } from '../startup/live-gateway.ts';
import { openRollouts } from '../startup/open-rollouts.ts';
import { openShared } from '../startup/shared.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { modelProgress } from './model-progress.ts';
import { type Output, processOutput } from './output.ts';

interface ServeCommandOptions {
  config?: string;
  host?: string;
  port?: number;
  check?: boolean;
}

/** `preamble serve`. Failures are thrown as PreambleError for the top level to print. */
export function registerServeCommand(program: Command, output: Output = processOutput): void {
  program
    .command('serve', { isDefault: true })
    .description('Serve the OpenAI API (what happens without a command)')
    .option('--config <file>', 'settings (default: ./preamble.yaml, else what is built in)')
    .option('--host <host>', 'address to listen on, in place of listen.host of the settings')
    .option('--port <port>', 'port to listen on, in place of listen.port; 0 takes any free one', parsePort)
    .option('--check', 'check settings and prompts, and end without serving')
    .action((options: ServeCommandOptions) => serveCommand(options, output));
}

async function serveCommand(options: ServeCommandOptions, output: Output): Promise<void> {
  const listen = { host: options.host, port: options.port };
  const loaded = await loadConfig({ file: options.config, listen });
  const { config, file } = loaded;
  const logger = createLogger(config.log);
  await using shared = await openShared(config, logger);
  await using open = openRollouts(shared, loaded, logger);
  const prepared = await prepare(config, shared, null, open);
  if (options.check === true) {
    output.stdout.write(`${file ?? 'The built-in configuration'} is valid, and its prompts are there.\n`);
    return;
  }
  const progress = modelProgress(output);
  const gateway = createGateway(prepared, logger, progress.onEvent, shared, open);
  shared?.prompts.watch(gateway.refreshPrompts);
  const reloading =
    file === null
      ? null
      : // The file by its name: one that is gone is an error now, and not the built-in default.
        keepReloaded({ gateway, file, logger, load: async () => (await loadConfig({ file, listen })).config });
  try {
    await serve(gateway, {
      listen: config.listen,
      admin: config.admin,
      logger,
      tracing: config.tracing === undefined ? null : await openTracing(config.tracing, logger),
      onListening: (address) => output.stdout.write(`Preamble listens on ${baseUrl(address)} and loads.\n`),
      onReady(address) {
        progress.stop();
        output.stdout.write(banner(baseUrl(address), config, gateway.current().policy));
      },
    });
  } finally {
    reloading?.stop();
    progress.stop();
  }
}

/** Loaded here alone: without tracing OpenTelemetry's SDK is not. */
async function openTracing(settings: TracingSettings, logger: Logger): Promise<Tracing> {
  const { startTracing } = await import('../telemetry/open-telemetry.ts');
  return startTracing(settings, logger);
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535) throw new InvalidArgumentError('A port is a number from 0 to 65535.');
  return port;
}
