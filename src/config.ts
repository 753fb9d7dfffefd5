import { dirname, resolve } from 'node:path';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import { applyEnvironment, variableName } from './config/environment.ts';
import { readConfigFile } from './config/file.ts';
import { configProblem, type Locate } from './config/problem.ts';
import type { SecretSource } from './config/schema/common.ts';
import { type Config, configSchema } from './config/schema.ts';
import { specialise } from './config/specialise.ts';
import { checkTogether } from './config/together.ts';
import { PreambleError } from './errors.ts';
import { isObject } from './openai/validate.ts';
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
  const config = withDefaults(applyEnvironment(written, specialise(written), environment));
  const listen = isObject(config['listen']) ? config['listen'] : {};
  if (options.listen?.host !== undefined) listen['host'] = options.listen.host;
  if (options.listen?.port !== undefined) listen['port'] = options.listen.port;
  const schema = specialise(config);
  const errors = Compile(schema).Errors(config);
  if (errors.length > 0 || !validator.Check(config)) throw configProblem(errors, schema, locate);
  checkTogether(config, locate);
  return { config: absolutePaths(config, file === null ? process.cwd() : dirname(resolve(path))), file: file && path };
}

/** Directories that hold prompts, the shipped ones last. */
export function promptDirectories(config: Config): string[] {
  return [...config.promptDirectories, shippedPromptDirectory];
}

function withDefaults(value: unknown): Record<string, unknown> {
  const copy: unknown = structuredClone(value);
  // Twice: the first may bring in the models whose defaults the second fills in.
  const filled: unknown = Value.Default(specialise(copy), copy);
  const whole: unknown = Value.Default(specialise(filled), filled);
  return isObject(whole) ? whole : {};
}

/** A path that begins with a dot is beside the file that names it, wherever the process was started. */
function absolutePaths(config: Config, base: string): Config {
  const beside = (path: string) => (/^\.{1,2}(\/|$)/.test(path) ? resolve(base, path) : path);
  const besideSecret = (secret: SecretSource | undefined) => {
    if (secret?.file !== undefined) secret.file = resolve(base, secret.file);
  };
  for (const { backend } of Object.values(config.models)) {
    if (backend.kind === 'embedded') backend.model = beside(backend.model);
    else {
      if (backend.modelDirectory !== undefined) backend.modelDirectory = beside(backend.modelDirectory);
      if (backend.graft !== undefined) backend.graft = resolve(base, backend.graft);
      besideSecret(backend.apiKey);
    }
  }
  if (config.redis?.caFile !== undefined) config.redis.caFile = resolve(base, config.redis.caFile);
  if (config.rollouts?.stateFile !== undefined) config.rollouts.stateFile = resolve(base, config.rollouts.stateFile);
  besideSecret(config.guard?.apiKey);
  besideSecret(config.admin?.password);
  besideSecret(config.redis?.password);
  besideSecret(config.redis?.sentinelPassword);
  config.promptDirectories = config.promptDirectories.map((directory) => resolve(base, directory));
  return config;
}
