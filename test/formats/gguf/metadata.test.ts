import t from 'tap';
import {
  type GgufMetadata,
  readBoolean,
  readCount,
  readNumber,
  readNumbers,
  readString,
  readStrings,
} from '../../../src/formats/gguf/metadata.ts';

const metadata: GgufMetadata = new Map<string, string | number | bigint | boolean | (string | number)[]>([
  ['text', 'a'],
  ['count', 3],
  ['half', 0.5],
  ['nan', Number.NaN],
  ['negative', -1],
  ['huge', 2n ** 64n - 1n],
  ['flag', true],
  ['texts', ['a', 'b']],
  ['numbers', [1, 2.5]],
]);

t.test('each reader returns what is there, and undefined for what is not', async (t) => {
  t.equal(readString(metadata, 'text'), 'a');
  t.equal(readCount(metadata, 'count'), 3);
  t.equal(readNumber(metadata, 'half'), 0.5);
  t.equal(readBoolean(metadata, 'flag'), true);
  t.same(readStrings(metadata, 'texts'), ['a', 'b']);
  t.same(readNumbers(metadata, 'numbers'), [1, 2.5]);
  for (const read of [readString, readCount, readNumber, readBoolean, readStrings, readNumbers]) {
    t.equal(read(metadata, 'absent'), undefined);
  }
});

t.test('a value of another kind is refused, the key named', async (t) => {
  for (const [read, keys] of [
    [readString, ['count', 'flag', 'texts']],
    [readCount, ['text', 'half', 'nan', 'negative', 'huge', 'numbers']],
    [readNumber, ['text', 'nan', 'huge']],
    [readBoolean, ['count', 'text']],
    [readStrings, ['text', 'numbers']],
    [readNumbers, ['count', 'texts']],
  ] as const) {
    for (const key of keys) {
      t.throws(() => read(metadata, key), { code: 'format_invalid', message: new RegExp(`file's ${key} is not`) });
    }
  }
});
