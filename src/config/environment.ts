import { PreambleError } from '../errors.ts';
import { isObject } from '../openai/validate.ts';
import { nearest } from './nearest.ts';
import { type Path, type SchemaNode, schemaAt } from './schema-node.ts';

/**
 * Variables are looked at only where they begin like one of our sections: Kubernetes puts `PREAMBLE_PORT`, `PREAMBLE_SERVICE_HOST` and
 * the like into every container beside a service called `preamble`.
 */
const PREFIX = 'PREAMBLE_';

/** `['listen', 'port']` -> `PREAMBLE_LISTEN_PORT`; `['log', 'onError']` -> `PREAMBLE_LOG_ON_ERROR` */
export function variableName(path: Path): string {
  return (
    PREFIX +
    path
      .map((key) => snakeCase(key).replace(/[^A-Za-z0-9]+/g, '_'))
      .join('_')
      .toUpperCase()
  );
}

/** A copy of `config` with the scalars that the environment sets. Throws `config_invalid`. */
export function applyEnvironment(config: object, root: SchemaNode, environment: NodeJS.ProcessEnv): object {
  const copy = structuredClone(config);
  const scalars = new Map(scalarPaths(root, copy).map((path) => [variableName(path), path]));
  const sections = Object.keys(root.properties ?? {}).map((key) => `${variableName([key])}_`);
  for (const [name, text] of Object.entries(environment)) {
    if (text === undefined || !sections.some((section) => name.startsWith(section))) continue;
    const path = scalars.get(name);
    if (path === undefined) throw unknownVariable(name, [...scalars.keys()]);
    setAt(copy, path, parseScalar(text, schemaAt(root, path), name));
  }
  return copy;
}

/** Every scalar that the schema allows, for the names that records (`models`) hold in `value`. */
function scalarPaths(schema: SchemaNode, value: unknown, path: Path = []): Path[] {
  if (schema.patternProperties !== undefined) {
    const [item] = Object.values(schema.patternProperties);
    if (item === undefined || !isObject(value)) return [];
    return Object.keys(value).flatMap((key) => scalarPaths(item, value[key], [...path, key]));
  }
  if (schema.properties !== undefined) {
    return Object.entries(schema.properties).flatMap(([key, child]) =>
      scalarPaths(child, isObject(value) ? value[key] : undefined, [...path, key]),
    );
  }
  return schema.type === 'array' ? [] : [path];
}

/** By the schema's type; an empty text or `null` is null where that is allowed. What fits no type is left to the schema's own message. */
function parseScalar(text: string, schema: SchemaNode | undefined, name: string): unknown {
  const alternatives = schema?.anyOf ?? (schema === undefined ? [] : [schema]);
  const types = alternatives.map((alternative) => alternative.type ?? 'string');
  if (types.includes('null') && (text === '' || text === 'null')) return null;
  if (types.includes('integer') || types.includes('number')) {
    if (!/^\s*[+-]?\d+(\.\d+)?\s*$/.test(text)) throw wrongValue(name, text, 'a number');
    return Number(text);
  }
  if (types.includes('boolean')) {
    if (text !== 'true' && text !== 'false') throw wrongValue(name, text, 'true or false');
    return text === 'true';
  }
  return text;
}

function setAt(target: object, path: Path, value: unknown): void {
  let at: object = target;
  for (const key of path.slice(0, -1)) {
    const child: unknown = Reflect.get(at, key);
    if (isObject(child)) at = child;
    else {
      const created = {};
      Reflect.set(at, key, created);
      at = created;
    }
  }
  const last = path.at(-1);
  if (last !== undefined) Reflect.set(at, last, value);
}

/** Not behind a digit: models are called `llama-3-8B`. */
function snakeCase(key: string): string {
  return key.replace(/([a-z])([A-Z])/g, '$1_$2');
}

function unknownVariable(name: string, known: readonly string[]): PreambleError {
  const meant = nearest(name, known);
  return new PreambleError('config_invalid', `The environment variable ${name} sets nothing that Preamble knows.`, {
    action: meant === undefined ? 'See: preamble config show.' : `Did you mean ${meant}?`,
  });
}

function wrongValue(name: string, text: string, wanted: string): PreambleError {
  return new PreambleError(
    'config_invalid',
    `${name} must be ${wanted}, and is ${JSON.stringify(text.slice(0, 80))}.`,
    {
      action: 'Correct it, or unset it.',
    },
  );
}
