import { join } from 'node:path';
import t from 'tap';
import type { SecretSource } from '../../src/config/schema/common.ts';
import { readSecret } from '../../src/config/secret.ts';
import { describe, PreambleError } from '../../src/errors.ts';

const refusal = async (promise: Promise<string>): Promise<PreambleError> => {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof PreambleError)) throw new Error('it was not refused');
  return error;
};

t.test('from a variable or a file, without the newline at its end', async (t) => {
  const directory = t.testdir({ unix: 'hunter2\n', windows: 'hunter2\r\n', plain: 'hunter2', spaced: ' hunter2 ' });
  for (const name of ['unix', 'windows', 'plain'])
    t.equal(await readSecret({ file: join(directory, name) }), 'hunter2');
  t.equal(await readSecret({ file: join(directory, 'spaced') }), ' hunter2 ', 'all else belongs to it');
  t.equal(await readSecret({ env: 'KEY' }, { KEY: 'hunter2' }), 'hunter2');
});

t.test('what can not be one is refused on one line, which says where and never what', async (t) => {
  const directory = t.testdir({
    empty: '',
    newline: '\n',
    several: 'hunter2\nhunter3\n',
    long: 'hunter2'.repeat(5000),
  });
  const sources: SecretSource[] = [
    { env: 'NO_KEY' },
    { env: 'KEY' },
    ...['empty', 'newline', 'several', 'long', 'absent'].map((name) => ({ file: join(directory, name) })),
  ];
  for (const source of sources) {
    const error = await refusal(readSecret(source, { KEY: '' }));
    t.match(describe(error), /NO_KEY|KEY|empty|newline|several|long|absent/);
    t.notMatch(describe(error), /hunter|\n/);
  }
});
