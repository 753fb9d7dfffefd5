import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { cliReference } from '../../scripts/reference/cli.ts';
import { limitsOf } from '../../scripts/reference/limits.ts';
import { settingsReference } from '../../scripts/reference/settings.ts';
import { configSchema } from '../../src/config/schema.ts';
import { root } from './support/pages.ts';
import { settingsWithin } from './support/schema.ts';

t.test('the reference is what the commands and the schema say now', async (t) => {
  const pages = { 'cli.md': cliReference(), 'settings.md': settingsReference() };
  for (const [name, made] of Object.entries(pages)) {
    const committed = await readFile(join(root, 'docs/reference', name), 'utf8');
    t.equal(committed, made, `docs/reference/${name} is up to date; if not: npm run docs:reference`);
  }
});

t.test('every setting is in it, and what kinds of backend share is there once', async (t) => {
  const page = settingsReference();
  for (const { path } of settingsWithin(configSchema)) {
    if (path.endsWith('.backend.kind')) t.match(page, `### ${path}\n`);
    else t.match(page, `| \`${path}\` |`);
  }
  t.equal(page.split('| `models.NAME.backend.urls` |').length, 2);
});

t.test('limits are in words', async (t) => {
  t.equal(limitsOf({ minimum: 1 }), '1 or more');
  t.equal(limitsOf({ minimum: 0, maximum: 65535 }), '0 to 65,535');
  t.equal(limitsOf({ maxLength: 64 }), 'at most 64 characters');
  t.equal(limitsOf({ minProperties: 1, maxProperties: 1 }), 'exactly 1 of them');
  t.equal(limitsOf({ anyOf: [{ minLength: 1 }, {}] }), 'not empty');
  t.equal(
    limitsOf({ minItems: 1, uniqueItems: true, items: { pattern: '^a' } }),
    'not empty, none twice, each like `^a`',
  );
});
