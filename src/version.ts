import { createRequire } from 'node:module';
import Type from 'typebox';
import { Value } from 'typebox/value';

/** Beside `src/` in a checkout and beside `dist/` in the package. */
const manifest: unknown = createRequire(import.meta.url)('../package.json');

export const { version } = Value.Parse(
  Type.Object({ version: Type.String() }, { additionalProperties: true }),
  manifest,
);
