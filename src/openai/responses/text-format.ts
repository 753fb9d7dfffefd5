import Type from 'typebox';
import { fieldError, valueParser } from '../validate.ts';

const open = { additionalProperties: true };

const readSchemaFormat = valueParser(
  Type.Object(
    {
      name: Type.String({ minLength: 1 }),
      schema: Type.Object({}, open),
      description: Type.Optional(Type.String()),
      strict: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
    },
    open,
  ),
);

/** What an answer's text must look like: `text.format`. */
export type TextFormat =
  | { type: 'text' }
  | { type: 'json_object' }
  | {
      type: 'json_schema';
      name: string;
      schema: { [key: string]: unknown };
      description?: string;
      strict?: boolean | null;
    };

/** Throws `invalid_request`. */
export function readTextFormat(format: { readonly type: string } | null | undefined): TextFormat {
  if (format === null || format === undefined || format.type === 'text') return { type: 'text' };
  if (format.type === 'json_object') return { type: 'json_object' };
  if (format.type !== 'json_schema') {
    throw fieldError('text.format.type', 'must be one of "text", "json_schema", "json_object"');
  }
  const { name, schema, description, strict } = readSchemaFormat(format, 'text.format');
  return {
    type: 'json_schema',
    name,
    schema: { ...schema },
    ...(description === undefined ? {} : { description }),
    ...(strict === undefined ? {} : { strict }),
  };
}

/** A chat request's `response_format`; undefined for plain text, which is what it gets anyway. */
export function toResponseFormat(format: TextFormat): object | undefined {
  if (format.type === 'text') return undefined;
  if (format.type === 'json_object') return format;
  const { type, ...schema } = format;
  return { type, json_schema: schema };
}
