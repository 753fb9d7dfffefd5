import fc from 'fast-check';
import t from 'tap';
import { arraySpans, objectSpans, rootSpan } from '../../src/formats/json-spans.ts';

const object = (text: string) => {
  const bytes = Buffer.from(text);
  return new Map(
    [...objectSpans(bytes, rootSpan(bytes))].map(([name, { start, end }]) => [
      name,
      bytes.toString('utf8', start, end),
    ]),
  );
};

t.test('the values of an object, as they stand in its text', async (t) => {
  const text = ' {"a" : 12345678901234567890 ,"b\\u0022":"x\\"}","c":{"d":[1,{"e":"]"}]} , "":null,"é":-1.5e+3}\n';
  t.strictSame(
    [...object(text)],
    [
      ['a', '12345678901234567890'],
      ['b"', '"x\\"}"'],
      ['c', '{"d":[1,{"e":"]"}]}'],
      ['', 'null'],
      ['é', '-1.5e+3'],
    ],
  );
});

t.test('an empty object, an empty array, and a byte order mark', async (t) => {
  t.strictSame([...object('{ }')], []);
  const bytes = Buffer.from('\uFEFF[ ]');
  t.strictSame(rootSpan(bytes), { start: 3, end: 6 });
  t.strictSame(arraySpans(bytes, rootSpan(bytes)), []);
});

t.test('a name that stands twice is refused, spelled either way', async (t) => {
  t.throws(() => object('{"messages":1,"m\\u0065ssages":2}'), { code: 'invalid_request', param: 'messages' });
});

t.test('any JSON: the spans parse to the values', async (t) => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), fc.nat(4), (value, indent) => {
      const bytes = Buffer.from(JSON.stringify(value, null, indent));
      const spans = objectSpans(bytes, rootSpan(bytes));
      const parsed: unknown = JSON.parse(bytes.toString());
      const read = Object.fromEntries(
        [...spans].map(([name, { start, end }]) => [name, JSON.parse(bytes.toString('utf8', start, end))]),
      );
      t.strictSame(read, parsed);
    }),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), (values) => {
      const bytes = Buffer.from(JSON.stringify(values));
      const read = arraySpans(bytes, rootSpan(bytes)).map(({ start, end }) =>
        JSON.parse(bytes.toString('utf8', start, end)),
      );
      t.strictSame(read, JSON.parse(bytes.toString()));
    }),
    { numRuns: 300 },
  );
});
