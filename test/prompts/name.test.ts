import { join, resolve } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { PreambleError } from '../../src/errors.ts';
import { newestFirst, parsePromptReference } from '../../src/prompts/name.ts';

t.test('a name may hold slashes and a version', (t) => {
  t.strictSame(parsePromptReference('llama-3-8b/dro'), { name: 'llama-3-8b/dro', version: null });
  t.strictSame(parsePromptReference('a@1.2.3-rc.1'), { name: 'a', version: '1.2.3-rc.1' });
  for (const text of [
    'a@',
    'a@1',
    'a@1.0.0+build',
    '@1.0.0',
    'a/./b',
    'a/../b',
    'a\\b',
    'a b',
    '-a',
    'a\n',
    `${'a'.repeat(65)}`,
  ]) {
    t.throws(() => parsePromptReference(text), { code: 'prompt_not_found' }, JSON.stringify(text));
  }
  t.end();
});

t.test('versions are ordered by number, releases before their candidates', (t) => {
  t.strictSame(['1.9.0', '1.10.0', '1.10.0-rc.2', '1.10.0-rc.10'].sort(newestFirst), [
    '1.10.0',
    '1.10.0-rc.10',
    '1.10.0-rc.2',
    '1.9.0',
  ]);
  t.end();
});

t.test('no reference leads out of the directory of prompts', (t) => {
  const piece = fc.constantFrom('..', '.', '/', '\\', '@', '1.0.0', 'a', 'b-c', '%2e', '\0', '~');
  const text = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
  );
  const property = fc.property(text, (reference) => {
    try {
      const { name, version } = parsePromptReference(reference);
      return join(resolve('/prompts'), name, version ?? '').startsWith('/prompts/');
    } catch (error) {
      return error instanceof PreambleError && error.code === 'prompt_not_found' && !error.message.includes('\n');
    }
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2000 }));
  t.end();
});
