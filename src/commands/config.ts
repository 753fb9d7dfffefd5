import type { Command } from 'commander';
import { stringify } from 'yaml';
import { configSchema } from '../config/schema.ts';
import { type LoadedConfig, loadConfig } from '../config.ts';
import { type Output, processOutput, writeResult } from './output.ts';

interface ConfigCommandOptions {
  config?: string;
  json?: boolean;
}

/** `preamble config show|check|schema`. Failures are thrown as PreambleError for the top level to print. */
export function registerConfigCommands(program: Command, output: Output = processOutput): void {
  const config = program.command('config').description('Show and check settings');
  reading(config.command('show'))
    .description('Print the settings in force: the file, the environment and the defaults together')
    .action(async (options: ConfigCommandOptions) => {
      const loaded = await loadConfig({ file: options.config });
      writeResult(options.json, loaded.config, stringify(loaded.config), output);
    });
  reading(config.command('check'))
    .description('Say whether the settings are valid')
    .action(async (options: ConfigCommandOptions) => {
      const loaded = await loadConfig({ file: options.config });
      writeResult(options.json, { file: loaded.file, valid: true }, `${nameOf(loaded)} is valid.`, output);
    });
  config
    .command('schema')
    .description('Print the JSON schema of preamble.yaml, for editors')
    .option('--json', 'taken as everywhere; the schema is JSON in any case')
    .action(() => writeResult(true, configSchema, '', output));
}

function reading(command: Command): Command {
  return command
    .option('--config <file>', 'settings (default: ./preamble.yaml, else what is built in)')
    .option('--json', 'print the result as JSON');
}

function nameOf({ file }: LoadedConfig): string {
  return file ?? 'The built-in configuration';
}
