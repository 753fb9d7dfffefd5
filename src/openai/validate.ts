import type { Static, TObject, TSchema } from 'typebox';
import Compile from 'typebox/compile';
import type { TLocalizedValidationError } from 'typebox/error';
import { PreambleError } from '../errors.ts';

/** A parser of one request body: checks the fields that the schema names and keeps every other one as it came. */
export type RequestParser<Schema extends TObject> = (body: unknown) => Static<Schema>;

/** An optional field that is null counts as absent, because OpenAI's client libraries send null for "not given". */
export function requestParser<Schema extends TObject>(schema: Schema): RequestParser<Schema> {
  const validator = Compile(schema);
  const optional = Object.keys(schema.properties).filter((name) => !schema.required?.includes(name));
  return (body) => {
    const candidate = isObject(body) ? withoutNulls(body, optional) : body;
    if (validator.Check(candidate)) return candidate;
    throw invalidRequest(validator.Errors(candidate));
  };
}

/** A parser of one value within a body, for values whose schema depends on what they are; `path` is where it stands. */
export function valueParser<Schema extends TSchema>(schema: Schema): (value: unknown, path: string) => Static<Schema> {
  const validator = Compile(schema);
  return (value, path) => {
    if (validator.Check(value)) return value;
    throw invalidRequest(validator.Errors(value), path);
  };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A fault in one field, named in OpenAI's way: `messages[0].role`. */
export function fieldError(path: string, problem: string): PreambleError {
  return new PreambleError('invalid_request', `Invalid '${path}': ${problem}.`, { param: path });
}

/** `/messages/0/role` (JSON pointer, RFC 6901) -> `messages[0].role` */
function fieldPath(pointer: string, base: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`), base);
}

function withoutNulls(body: Record<string, unknown>, optional: readonly string[]): Record<string, unknown> {
  const absent = optional.filter((name) => body[name] === null);
  if (absent.length === 0) return body;
  const copy = { ...body };
  for (const name of absent) delete copy[name];
  return copy;
}

/** The deepest fault is the most telling one where a value fits none of several shapes. */
function invalidRequest(errors: readonly TLocalizedValidationError[], base = ''): PreambleError {
  const depths = errors.map((error) => error.instancePath.split('/').length);
  const deepest = errors[depths.indexOf(Math.max(...depths))];
  if (deepest === undefined) return new PreambleError('invalid_request', 'The request body is not valid.');
  const pointer = deepest.instancePath;
  const here = errors.filter((error) => error.instancePath === pointer);
  if (pointer === '' && base === '' && deepest.keyword === 'type') {
    return new PreambleError('invalid_request', 'The request body must be a JSON object.', {
      action: 'Send it with content-type application/json.',
    });
  }
  if (deepest.keyword === 'required') {
    const missing = fieldPath(`${pointer}/${deepest.params.requiredProperties[0] ?? ''}`, base);
    return new PreambleError('invalid_request', `Missing required field '${missing}'.`, { param: missing });
  }
  return fieldError(fieldPath(pointer, base), describeProblem(here));
}

function describeProblem(errors: readonly TLocalizedValidationError[]): string {
  const constants: string[] = [];
  const types: string[] = [];
  for (const error of errors) {
    if (error.keyword === 'boolean') return 'is not a field that is known here';
    if (error.keyword === 'const') constants.push(JSON.stringify(error.params.allowedValue));
    else if (error.keyword === 'type') types.push(String(error.params.type));
    else if (error.keyword !== 'anyOf') return error.message;
  }
  if (constants.length > 0) return `must be one of ${constants.join(', ')}`;
  return types.length > 0 ? `must be of type ${types.join(' or ')}` : 'is not valid';
}
