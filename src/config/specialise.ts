import Type, { type TObject, type TSchema } from 'typebox';
import { isObject } from '../openai/validate.ts';
import { backendSchemas } from './schema/backend.ts';
import { configSchema, modelSchema } from './schema.ts';

const anyKind = Type.Object(
  { kind: Type.Enum(backendSchemas.flatMap(({ properties }) => properties.kind.enum)) },
  { additionalProperties: true },
);

/**
 * The schema for just the models and kinds of backend that `value` names: defaults, messages and environment variables
 * are then of that kind alone, where a union would tell of all kinds at once.
 */
export function specialise(value: unknown): TObject {
  const models = isObject(value) ? value['models'] : undefined;
  // An empty or misshapen record is left to the record's own schema, with its default and its message.
  if (!isObject(models) || Object.keys(models).length === 0) return configSchema;
  const named = Object.entries(models).map(([name, model]): [string, TSchema] => [name, modelOf(model)]);
  return Type.Object(
    { ...configSchema.properties, models: Type.Object(Object.fromEntries(named)) },
    { additionalProperties: false, default: {} },
  );
}

function modelOf(model: unknown): TSchema {
  const backend = isObject(model) && isObject(model['backend']) ? model['backend'] : {};
  const chosen = backendSchemas.find(({ properties }) => properties.kind.enum.some((kind) => kind === backend['kind']));
  return Type.Object({ ...modelSchema.properties, backend: chosen ?? anyKind }, { additionalProperties: false });
}
