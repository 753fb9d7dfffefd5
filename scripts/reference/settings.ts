import { configSchema } from '../../src/config/schema.ts';
import { code, prose, table } from './markdown.ts';

/** What the page says of a JSON schema; the rest of its keywords are for checks. */
interface Node {
  readonly type?: string | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly anyOf?: readonly Node[] | undefined;
  readonly properties?: Readonly<Record<string, Node>> | undefined;
  readonly patternProperties?: Readonly<Record<string, Node>> | undefined;
  readonly items?: Node | undefined;
  readonly required?: readonly string[] | undefined;
  readonly default?: unknown;
  readonly description?: string | undefined;
  readonly minimum?: number | undefined;
  readonly exclusiveMinimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly exclusiveMaximum?: number | undefined;
  readonly minLength?: number | undefined;
  readonly maxLength?: number | undefined;
  readonly pattern?: string | RegExp | undefined;
  readonly minItems?: number | undefined;
  readonly maxItems?: number | undefined;
  readonly uniqueItems?: boolean | undefined;
  readonly minProperties?: number | undefined;
  readonly maxProperties?: number | undefined;
}

/** Keywords that limit a value, in the order in which they are said. */
const LIMITS = [
  'minimum',
  'exclusiveMinimum',
  'maximum',
  'exclusiveMaximum',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
] as const satisfies readonly (keyof Node)[];

/** `docs/reference/settings.md`, from the schema that `preamble config schema` prints. */
export function settingsReference(): string {
  const schema: Node = configSchema;
  const parts = [
    '# Every setting of preamble.yaml',
    'Made by `npm run docs:reference` from what `preamble config schema` prints; do not edit. [settings.md](../settings.md) is the overview.',
    '`NAME` stands for a name that you choose, `[]` for each entry of a list.',
    ...Object.entries(schema.properties ?? {}).map(([name, node]) => {
      const rows = rowsOf(name, node, !('default' in node) && (schema.required ?? []).includes(name));
      return `## ${name}\n\n${table(['path', 'type', 'default', 'limits', 'meaning'], rows)}`;
    }),
  ];
  return `${parts.join('\n\n')}\n`;
}

function rowsOf(path: string, node: Node, required: boolean): string[][] {
  const own = [code(path), typeOf(node), defaultOf(node, required), limitsOf(node), prose(node.description ?? '')];
  return [own, ...withinOf(path, node)];
}

function withinOf(path: string, node: Node): string[][] {
  const properties = Object.entries(node.properties ?? {}).flatMap(([name, child]) =>
    rowsOf(`${path}.${name}`, child, !('default' in child) && (node.required ?? []).includes(name)),
  );
  const named = Object.values(node.patternProperties ?? {}).flatMap((child) => rowsOf(`${path}.NAME`, child, false));
  const items = node.items === undefined ? [] : withinOf(`${path}[]`, node.items);
  const variants = (node.anyOf ?? []).flatMap((variant) => {
    const [kind] = variant.properties?.['kind']?.enum ?? [];
    return withinOf(kind === undefined ? path : `${path}(${String(kind)})`, variant);
  });
  return [...properties, ...named, ...items, ...variants];
}

function typeOf(node: Node): string {
  if (node.enum !== undefined) return node.enum.map((value) => code(String(value))).join(', ');
  if (node.anyOf !== undefined) return [...new Set(node.anyOf.map(typeOf))].join(' or ');
  if (node.type === 'array' && node.items !== undefined) return `list of ${typeOf(node.items)}`;
  return node.type ?? '';
}

function defaultOf(node: Node, required: boolean): string {
  if (required) return 'required';
  return 'default' in node ? code(JSON.stringify(node.default)) : '';
}

function limitsOf(node: Node): string {
  const own = LIMITS.flatMap((keyword) =>
    node[keyword] === undefined ? [] : [`${keyword} ${code(String(node[keyword]))}`],
  );
  const variants = (node.anyOf ?? []).map(limitsOf);
  const each = node.items === undefined ? '' : limitsOf(node.items);
  return [...own, ...variants, each === '' ? '' : `each: ${each}`].filter((limits) => limits !== '').join(', ');
}
