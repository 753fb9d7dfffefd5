import { dirname, resolve } from 'node:path';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import { applyEnvironment, variableName } from './config/environment.ts';
import { readConfigFile } from './config/file.ts';
import { configProblem, type Locate } from './config/problem.ts';
import { type Config, configSchema, modelSchema } from './config/schema.ts';
import { PreambleError } from './errors.ts';
import { shippedPromptDirectory } from './prompts/shipped.ts';

/** Taken from the working directory where neither `--config` nor `PREAMBLE_CONFIG` names another. */
const DEFAULT_FILE = 'preamble.yaml';

export interface ConfigOptions {
  /** A file that must be there. */
  file?: string | undefined;
  environment?: NodeJS.ProcessEnv;
  /** From the command line: stronger than the environment, which is stronger than the file. */
  listen?: { host?: string | undefined; port?: number | undefined };
}

export interface LoadedConfig {
  readonly config: Config;
  /** The file that was read; null for the built-in default. */
  readonly file: string | null;
}

const validator = Compile(configSchema);

/**
 * File, environment and command line as one checked configuration, defaults filled in and paths made absolute.
 * Throws `config_invalid`, `file_unreadable`.
 */
export async function loadConfig(options: ConfigOptions = {}): Promise<LoadedConfig> {
  const environment = options.environment ?? process.env;
  const named = options.file ?? environment['PREAMBLE_CONFIG'];
  const path = named ?? DEFAULT_FILE;
  const file = await readConfigFile(path);
  if (file === null && named !== undefined) {
    throw new PreambleError('file_unreadable', `${named} does not exist.`, {
      action: 'Name another file, or none for the built-in default.',
    });
  }
  const locate: Locate = (keys) => {
    const variable = variableName(keys);
    if (environment[variable] !== undefined) return variable;
    return file?.locate(keys) ?? (keys.join('.') || 'the configuration');
  };
  const written = withDefaults(file?.value ?? {});
  const config = withDefaults(applyEnvironment(written, configSchema, environment));
  const listen = isRecord(config['listen']) ? config['listen'] : {};
  if (options.listen?.host !== undefined) listen['host'] = options.listen.host;
  if (options.listen?.port !== undefined) listen['port'] = options.listen.port;
  if (!validator.Check(config)) throw configProblem(validator.Errors(config), configSchema, locate);
  refuseOpenAddress(config.listen.host);
  return { config: absolutePaths(config, file === null ? process.cwd() : dirname(resolve(path))), file: file && path };
}

/** Directories that hold prompts, the shipped ones last. */
export function promptDirectories(config: Config): string[] {
  return [...config.promptDirectories, shippedPromptDirectory];
}

function withDefaults(value: unknown): Record<string, unknown> {
  const filled: unknown = Value.Default(configSchema, structuredClone(value));
  if (!isRecord(filled)) return {};
  // TypeBox fills in defaults of named properties, not those of a record's values.
  const models = filled['models'];
  if (isRecord(models)) for (const name of Object.keys(models)) models[name] = Value.Default(modelSchema, models[name]);
  return filled;
}

/** A path that begins with a dot is beside the file that names it, wherever the process was started. */
function absolutePaths(config: Config, base: string): Config {
  for (const { backend } of Object.values(config.models)) {
    if (/^\.{1,2}(\/|$)/.test(backend.model)) backend.model = resolve(base, backend.model);
  }
  config.promptDirectories = config.promptDirectories.map((directory) => resolve(base, directory));
  return config;
}

/** Until there are API keys, whoever reaches the port may use the model and read what others are refused. */
function refuseOpenAddress(host: string): void {
  if (host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)) return;
  throw new PreambleError('config_invalid', `Listening on ${host} would open the gateway to everyone who reaches it.`, {
    action: 'There are no API keys yet: listen on 127.0.0.1, behind a proxy that authenticates.',
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
