import type { TLocalizedValidationError } from 'typebox/error';
import { PreambleError } from '../errors.ts';
import { nearest } from './nearest.ts';
import { type Path, type SchemaNode, schemaAt } from './schema-node.ts';

/** Says where a setting stands, for the start of a message: `preamble.yaml:12: models.llama.backend.slots`. */
export type Locate = (path: Path) => string;

/** The first fault that a person should put right, on one line with its path. */
export function configProblem(
  errors: readonly TLocalizedValidationError[],
  root: SchemaNode,
  locate: Locate,
): PreambleError {
  const unknown = errors.find((error) => error.keyword === 'boolean');
  if (unknown !== undefined) return unknownKey(pathOf(unknown.instancePath), root, locate);
  const missing = errors.find((error) => error.keyword === 'required');
  if (missing?.keyword === 'required') {
    const path = [...pathOf(missing.instancePath), missing.params.requiredProperties[0] ?? ''];
    return invalid(`${locate(path)} is missing`, explain(schemaAt(root, path)));
  }
  const [first] = errors;
  if (first === undefined) return invalid(`${locate([])} is not valid`, 'See: preamble config schema.');
  const path = pathOf(first.instancePath);
  return invalid(`${locate(path)} ${problemOf(first, schemaAt(root, path))}`, explain(schemaAt(root, path)));
}

function unknownKey(path: Path, root: SchemaNode, locate: Locate): PreambleError {
  const siblings = Object.keys(schemaAt(root, path.slice(0, -1))?.properties ?? {});
  const meant = nearest(path.at(-1) ?? '', siblings);
  return invalid(
    `${locate(path)} is not a setting`,
    meant === undefined ? `Known here: ${siblings.join(', ')}.` : `Did you mean ${meant}?`,
  );
}

function problemOf(error: TLocalizedValidationError, schema: SchemaNode | undefined): string {
  if (schema?.enum !== undefined) return `must be one of ${schema.enum.join(', ')}`;
  const types = (schema?.anyOf ?? []).flatMap((alternative) => alternative.type ?? []);
  const typesOnly = error.keyword === 'type' || error.keyword === 'anyOf';
  return types.length > 0 && typesOnly ? `must be ${types.join(' or ')}` : error.message;
}

function explain(schema: SchemaNode | undefined): string {
  const description = schema !== undefined && 'description' in schema ? schema.description : undefined;
  if (typeof description === 'string') return description;
  return schema?.properties === undefined
    ? 'See: preamble config schema.'
    : `It has: ${Object.keys(schema.properties).join(', ')}.`;
}

function invalid(message: string, action: string): PreambleError {
  return new PreambleError('config_invalid', `${message}.`, { action });
}

/** A JSON pointer (RFC 6901) as keys. */
function pathOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}
