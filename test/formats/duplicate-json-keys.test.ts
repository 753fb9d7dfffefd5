import fc from 'fast-check';
import t from 'tap';
import { findDuplicateJsonKey } from '../../src/formats/duplicate-json-keys.ts';

t.test('finds a key that one object holds twice', async (t) => {
  t.equal(findDuplicateJsonKey('{"a": 1, "b": {"c": 1, "c": 2}}'), 'c');
  t.equal(findDuplicateJsonKey('{"a": "x{", "\\u0061" : 2}'), 'a');
  t.equal(findDuplicateJsonKey('{"": {}, "": []}'), '');
});

t.test('no text that JSON.stringify makes has one', async (t) => {
  fc.assert(fc.property(fc.json(), (json) => findDuplicateJsonKey(json) === null));
  t.pass();
});

t.test('every doubled key is found', async (t) => {
  fc.assert(
    fc.property(fc.string(), fc.jsonValue(), fc.jsonValue(), (key, first, second) => {
      const pair = (value: unknown) => `${JSON.stringify(key)}:${JSON.stringify(value)}`;
      return findDuplicateJsonKey(`{${pair(first)},${pair(second)}}`) === key;
    }),
  );
  t.pass();
});
