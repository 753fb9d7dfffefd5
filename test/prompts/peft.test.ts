import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { PreambleError } from '../../src/errors.ts';
import { parsePeftConfig } from '../../src/prompts/peft.ts';
import { adapterDirectory } from './support/tiny.ts';

t.test('whatever an adapter_config.json says, there is a configuration or a PreambleError', async (t) => {
  const config: object = JSON.parse(await readFile(join(adapterDirectory('text'), 'adapter_config.json'), 'utf8'));
  t.match(parsePeftConfig(JSON.stringify(config), 'p'), { virtualTokens: 8, tokenDim: 32 });
  const altered = fc
    .tuple(fc.constantFrom(...Object.keys(config), '__proto__'), fc.jsonValue())
    .map((member) => JSON.stringify(Object.fromEntries([...Object.entries(config), member])));
  const property = fc.property(fc.oneof(altered, fc.json(), fc.string()), (text) => {
    try {
      const { initialText } = parsePeftConfig(text, 'p');
      return initialText === null || initialText.length > 0;
    } catch (error) {
      return error instanceof PreambleError && error.code === 'prompt_invalid' && !error.message.includes('\n');
    }
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }));
});
