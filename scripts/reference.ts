import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { cliReference } from './reference/cli.ts';
import { settingsReference } from './reference/settings.ts';

const folder = new URL('../docs/reference/', import.meta.url);
await mkdir(fileURLToPath(folder), { recursive: true });
await writeFile(new URL('cli.md', folder), cliReference());
await writeFile(new URL('settings.md', folder), settingsReference());
