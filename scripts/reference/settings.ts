import { configSchema } from '../../src/config/schema.ts';
import { limitsOf } from './limits.ts';
import { code, prose, table } from './markdown.ts';
import type { Schema } from './schema.ts';

const HEADINGS = ['path', 'type', 'default', 'limits', 'meaning'];

/** Settings with their paths, and what is said of each. */
interface Part {
  readonly rows: readonly Row[];
  /** Parts whose settings depend on a `kind`. */
  readonly choices: readonly Choice[];
}

type Row = readonly string[];

interface Choice {
  readonly path: string;
  /** By kind: what it is, and its settings. */
  readonly kinds: ReadonlyMap<string, Kind>;
}

interface Kind {
  readonly meaning: string;
  readonly rows: readonly Row[];
}

/** `docs/reference/settings.md`, from the schema that `preamble config schema` prints. */
export function settingsReference(): string {
  const schema: Schema = configSchema;
  const parts = [
    '# Every setting of preamble.yaml',
    'Made by `npm run docs:reference` from what `preamble config schema` prints; do not edit. [settings.md](../settings.md) is the overview.',
    '`NAME` stands for a name that you choose, `[]` for each entry of a list.',
    ...childrenOf(schema).flatMap(({ name, child, required }) => {
      const { rows, choices } = partOf(name, child, required);
      return [`## ${name}`, table(HEADINGS, rows), ...choices.flatMap(choiceSections)];
    }),
  ];
  return `${parts.join('\n\n')}\n`;
}

function choiceSections({ path, kinds }: Choice): string[] {
  const meanings = [...kinds].map(([kind, { meaning }]) => [code(kind), meaning]);
  return [
    `### ${path}.kind`,
    'Required; what else there is depends on it.',
    table(['kind', 'meaning'], meanings),
    ...shared(kinds).flatMap((group) => [
      `### ${path} of kind ${group.kinds.map(code).join(', ')}`,
      table(HEADINGS, group.rows),
    ]),
  ];
}

/** Rows by the kinds that have them, so that what several share is said once. */
function shared(kinds: Choice['kinds']): { kinds: string[]; rows: Row[] }[] {
  const kindsOfRow = new Map<string, { row: Row; kinds: string[] }>();
  for (const [kind, { rows }] of kinds) {
    for (const row of rows) {
      const known = kindsOfRow.get(row.join());
      if (known === undefined) kindsOfRow.set(row.join(), { row, kinds: [kind] });
      else known.kinds.push(kind);
    }
  }
  const groups = Map.groupBy(kindsOfRow.values(), ({ kinds }) => kinds.join());
  return [...groups.values()].flatMap((group) =>
    group.slice(0, 1).map(({ kinds }) => ({ kinds, rows: group.map(({ row }) => row) })),
  );
}

function partOf(path: string, schema: Schema, required: boolean): Part {
  const own = [
    code(path),
    typeOf(schema),
    defaultOf(schema, required),
    limitsOf(schema),
    prose(schema.description ?? ''),
  ];
  const within = partsWithin(path, schema);
  return { rows: [own, ...within.flatMap(({ rows }) => rows)], choices: within.flatMap(({ choices }) => choices) };
}

function partsWithin(path: string, schema: Schema): Part[] {
  const properties = childrenOf(schema).map(({ name, child, required }) => partOf(`${path}.${name}`, child, required));
  const named = Object.values(schema.patternProperties ?? {}).map((child) => partOf(`${path}.NAME`, child, false));
  const items = schema.items === undefined ? [] : partsWithin(`${path}[]`, schema.items);
  const variants = schema.anyOf ?? [];
  const kinds = new Map(variants.flatMap((variant) => kindOf(path, variant)));
  const choices = kinds.size === 0 ? [] : [{ rows: [], choices: [{ path, kinds }] }];
  const others = variants.filter(({ properties }) => properties?.['kind'] === undefined);
  return [...properties, ...named, ...items, ...choices, ...others.flatMap((other) => partsWithin(path, other))];
}

/** What `kind: …` says of a variant, and the settings besides. */
function kindOf(path: string, variant: Schema): [string, Kind][] {
  const { kind, ...others } = variant.properties ?? {};
  return (kind?.enum ?? []).map((name) => {
    const rows = partsWithin(path, { ...variant, properties: others }).flatMap(({ rows }) => rows);
    return [String(name), { meaning: prose(kind?.description ?? ''), rows }];
  });
}

function childrenOf({ properties, required }: Schema): { name: string; child: Schema; required: boolean }[] {
  return Object.entries(properties ?? {}).map(([name, child]) => {
    return { name, child, required: !('default' in child) && (required ?? []).includes(name) };
  });
}

function typeOf(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(', ');
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(' or ');
  if (schema.type === 'array' && schema.items !== undefined) return `list of ${typeOf(schema.items)}`;
  return schema.type ?? '';
}

function defaultOf(schema: Schema, required: boolean): string {
  if (required) return 'required';
  return 'default' in schema ? code(JSON.stringify(schema.default)) : '';
}
