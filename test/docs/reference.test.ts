import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { cliReference } from '../../scripts/reference/cli.ts';
import { settingsReference } from '../../scripts/reference/settings.ts';
import { root } from './support/pages.ts';

t.test('the reference is what the commands and the schema say now', async (t) => {
  const pages = { 'cli.md': cliReference(), 'settings.md': settingsReference() };
  for (const [name, made] of Object.entries(pages)) {
    const committed = await readFile(join(root, 'docs/reference', name), 'utf8');
    t.equal(committed, made, `docs/reference/${name} is up to date; if not: npm run docs:reference`);
  }
});
