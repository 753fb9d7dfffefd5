import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { variableName } from '../../src/config/environment.ts';
import { backendSchemas } from '../../src/config/schema/backend.ts';
import { configSchema } from '../../src/config/schema.ts';
import { type SchemaNode, schemaAt } from '../../src/config/schema-node.ts';
import { specialise } from '../../src/config/specialise.ts';
import { loadConfig } from '../../src/config.ts';
import { isObject } from '../../src/openai/validate.ts';
import { type Page, readPages, root } from './support/pages.ts';

const sections = Object.keys(configSchema.properties);

t.test('every piece of preamble.yaml is one that the gateway takes', async (t) => {
  let pieces = 0;
  for (const { path, blocks } of await readPages()) {
    for (const { text, language } of blocks) {
      if (!isSettings(text, language)) continue;
      pieces++;
      t.equal(await faultOf(t, text), null, `${path}:\n${text}`);
    }
  }
  t.ok(pieces > 4, `${pieces} pieces were loaded`);
});

t.test('what the gateway does not take is seen', async (t) => {
  t.match(await faultOf(t, 'redis:\n  url: redis://a:1\n  onUnavailable: nonsense\n'), /onUnavailable/);
  t.match(await faultOf(t, 'tenants:\n  - { id: a, keys: ["sha256:…"], trafic: harmless }\n'), /trafic/);
  t.ok(isSettings('redis:\n  url: a\n', ''));
  t.notOk(isSettings('{"id":"chatcmpl-1","model":"m"}', ''));
});

/** By its heading, or by its sections: the first line tells a page's reader which file it is, and pieces are shown without. */
function isSettings(text: string, language: string): boolean {
  if (/^# preamble\.yaml/.test(text) || language === 'yaml') return true;
  try {
    const value: unknown = parse(text, { logLevel: 'silent' });
    return isObject(value) && Object.keys(value).some((key) => sections.includes(key));
  } catch {
    return false;
  }
}

async function faultOf(t: Test, text: string): Promise<string | null> {
  const file = join(t.testdir(), 'preamble.yaml');
  // An ellipsis stands for what would be long, and different each time.
  let keys = 0;
  await writeFile(
    file,
    text.replaceAll('sha256:…', () => `sha256:${String(++keys).padStart(64, '0')}`),
  );
  try {
    await loadConfig({ file, environment: {} });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

t.test('tables of settings name what there is, with its default', async (t) => {
  let settings = 0;
  for (const page of await readPages()) {
    for (const { name, node, shown } of tabled(page)) {
      settings++;
      t.ok(node !== undefined, `${page.path}: ${name}`);
      const value = node !== undefined && 'default' in node ? node.default : undefined;
      if (shown !== null && value !== undefined && !isObject(value)) t.equal(shown, String(value), `${name}'s default`);
    }
  }
  t.ok(settings > 40, `${settings} were looked up`);
});

interface Tabled {
  readonly name: string;
  readonly node: SchemaNode | undefined;
  /** The default that the page gives; null where it gives none. */
  readonly shown: string | null;
}

/** Rows of tables whose first heading is `setting`: `listen.host`, `listen.port`, or `.port` beside it. Paths are from the root, or a backend's. */
function tabled({ tables }: Page): Tabled[] {
  return tables.flatMap(({ headings, rows }) => {
    if (headings[0] !== 'setting') return [];
    return rows.flatMap(([names = [], defaults = []]) =>
      names.flatMap((written, index) => {
        const name = written.startsWith('.') ? `${parentOf(names[0] ?? '')}${written}` : written;
        const shown = defaults.length === names.length ? (defaults[index] ?? null) : null;
        // Of the program that starts the gateway, not of its settings.
        return name.startsWith('PREAMBLE_') ? [] : [{ name, node: nodeOf(name), shown }];
      }),
    );
  });
}

function parentOf(name: string): string {
  return name.split('.').slice(0, -1).join('.');
}

/** The schema of a dotted name: from the root, else within a model, a backend, or a section that has a page. */
function nodeOf(name: string): SchemaNode | undefined {
  const path = name.split('.');
  const starts = [[], ['models', 'NAME'], ['models', 'NAME', 'backend'], ['redis'], ['log'], ['guard']];
  for (const { properties } of backendSchemas) {
    const [kind] = properties.kind.enum;
    const schema = specialise({ models: { NAME: { backend: { kind } } } });
    for (const start of starts) {
      const node = schemaAt(schema, [...start, ...path]);
      if (node !== undefined) return node;
    }
  }
  return undefined;
}

t.test('names with dots are settings, events of the log, or files', async (t) => {
  const events = await eventsOfSource();
  const firsts = new Set([
    ...sections,
    ...[...events].map((event) => event.split('.')[0]),
    'timeouts',
    'health',
    'backend',
  ]);
  let named = 0;
  for (const { path, spans } of await readPages()) {
    for (const span of spans) {
      if (!/^[a-z]+(?:\.[a-zA-Z_]+)+$/.test(span) || /\.(?:json|safetensors|jsonl|ts|py|tensor)$/.test(span)) continue;
      if (!firsts.has(span.split('.')[0] ?? '') || span === 'preamble.yaml') continue;
      named++;
      t.ok(events.has(span) || nodeOf(span) !== undefined, `${path}: ${span}`);
    }
  }
  t.ok(named > 15, `${named} were looked up`);
});

/** As they stand in the code: each line of the log names its event by a literal. */
async function eventsOfSource(): Promise<Set<string>> {
  const files = (await readdir(join(root, 'src'), { recursive: true })).filter((path) => path.endsWith('.ts'));
  const texts = await Promise.all(files.map((path) => readFile(join(root, 'src', path), 'utf8')));
  const events = texts.flatMap((text) => [...text.matchAll(/event: '([\w.]+)'/g)].map(([, event = '']) => event));
  return new Set(events.filter((event) => event.includes('.')));
}

t.test('variables of the environment set something', async (t) => {
  const own = ['PREAMBLE_CACHE', 'PREAMBLE_CONFIG', 'PREAMBLE_DEBUG'];
  const seen = new Set<string>();
  for (const { path, spans, blocks } of await readPages()) {
    const texts = [...spans, ...blocks.map(({ text }) => text)];
    for (const [variable] of texts.join('\n').matchAll(/\bPREAMBLE_[A-Z][A-Z_]*\b/g)) {
      seen.add(variable);
      if (own.includes(variable)) continue;
      const known = sections.some((section) => variable.startsWith(`${variableName([section])}_`));
      t.ok(known, `${path}: ${variable}`);
      const said = await loadConfig({ environment: { [variable]: '' } }).then(
        () => '',
        (error: unknown) => String(error),
      );
      t.notMatch(said, /sets nothing that Preamble knows/, `${path}: ${variable}`);
    }
  }
  t.ok(seen.has('PREAMBLE_LISTEN_PORT') && seen.has('PREAMBLE_CACHE'));
});
