/** Keys that templates look up by name in tools and tool calls: OpenAI's, and JSON Schema's keywords. They stay as they are. */
export const STRUCTURAL_KEYS: ReadonlySet<string> = new Set([
  ...[
    'type',
    'function',
    'name',
    'description',
    'parameters',
    'arguments',
    'id',
    'strict',
    'return',
    'returns',
    'response',
  ],
  ...['properties', 'required', 'items', 'enum', 'const', 'default', 'title', 'format', 'examples', 'nullable'],
  ...['additionalProperties', 'patternProperties', 'anyOf', 'oneOf', 'allOf', 'not', '$ref', '$defs', 'definitions'],
  ...['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'pattern', 'uniqueItems'],
]);

/** Under these the keys are the application's own names, whatever they are. */
export const USER_NAMED_KEYS: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'arguments',
]);

/** Values of `type` that templates compare with. */
export const TYPE_NAMES: ReadonlySet<string> = new Set([
  ...['function', 'object', 'array', 'string', 'number', 'integer', 'boolean', 'null', 'text'],
]);
