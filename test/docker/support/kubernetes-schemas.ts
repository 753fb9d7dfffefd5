import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { isObject } from '../../../src/openai/validate.ts';
import type { Tools } from './tools.ts';

type Schema = Record<string, unknown>;

/** How the published schemas name a definition: `/api/_definitions.json#/$defs/io.k8s.api.core.v1.PodSpec`, and without the file among themselves. */
const REFERENCE = /[^"]*#\/(?:\$defs|definitions)\/([^"]+)/;

/**
 * The schemas as kubeconform reads them, each in a file of its own, KIND-GROUP-VERSION.json: of the API itself and of custom resources. They are
 * made strict: a field that the API does not know would be dropped by it without a word, so it is an error here.
 */
export async function writeSchemas(tools: Tools, version: string, kinds: readonly string[], into: string) {
  await mkdir(into, { recursive: true });
  const source = tools.folder(`kubernetes/${version}`);
  const all = await readSchema(join(source, '_definitions.json'));
  const definitions = { ...objectAt(all, 'definitions'), ...objectAt(all, '$defs') };
  const files = await readdir(source);
  for (const file of files.filter((name) => kinds.some((kind) => name.startsWith(`${kind}-`)))) {
    const { $id: _id, $schema: _dialect, ...schema } = await readSchema(join(source, file));
    await writeFile(
      join(into, file),
      JSON.stringify(strict({ ...schema, definitions: reachable(schema, definitions) })),
    );
  }
  for (const file of await readdir(tools.folder('crds'))) {
    const text = await readFile(join(tools.folder('crds'), file), 'utf8');
    for (const document of parseAllDocuments(text)) await writeCustom(document.toJS(), into);
  }
}

/** Each version of a CustomResourceDefinition. */
async function writeCustom(definition: unknown, into: string): Promise<void> {
  const spec = objectAt(definition, 'spec');
  const group = String(spec['group']).split('.')[0];
  const kind = String(objectAt(spec, 'names')['kind']).toLowerCase();
  const versions: unknown = spec['versions'];
  for (const version of Array.isArray(versions) ? versions : []) {
    const schema = objectAt(objectAt(version, 'schema'), 'openAPIV3Schema');
    await writeFile(join(into, `${kind}-${group}-${String(version.name)}.json`), JSON.stringify(strict(schema)));
  }
}

async function readSchema(path: string): Promise<Schema> {
  const value: unknown = JSON.parse(await readFile(path, 'utf8'));
  return isObject(value) ? value : {};
}

function objectAt(value: unknown, key: string): Schema {
  const child = isObject(value) ? value[key] : undefined;
  return isObject(child) ? child : {};
}

/** The definitions that a schema names, and those that they name. */
function reachable(schema: unknown, definitions: Schema, found: Schema = {}): Schema {
  for (const [, name = ''] of JSON.stringify(schema).matchAll(new RegExp(REFERENCE, 'g'))) {
    if (found[name] !== undefined) continue;
    found[name] = definitions[name];
    reachable(definitions[name], definitions, found);
  }
  return found;
}

/** No fields beside those that are named, unless it says that there may be some; references within the file. */
function strict(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strict);
  if (!isObject(value)) return value;
  const copy: Schema = Object.fromEntries(Object.entries(value).map(([key, child]) => [key, strict(child)]));
  if (typeof copy['$ref'] === 'string') copy['$ref'] = copy['$ref'].replace(REFERENCE, '#/definitions/$1');
  const open = copy['additionalProperties'] !== undefined || copy['x-kubernetes-preserve-unknown-fields'] === true;
  // A schema, and not the list of properties of an object that has one called `properties`.
  const described = copy['type'] === 'object' || copy['description'] !== undefined;
  return isObject(copy['properties']) && described && !open ? { ...copy, additionalProperties: false } : copy;
}
