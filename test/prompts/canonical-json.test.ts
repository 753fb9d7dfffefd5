import fc from 'fast-check';
import t from 'tap';
import { canonicalJson } from '../../src/prompts/canonical-json.ts';

t.test("RFC 8785's own examples", (t) => {
  t.equal(
    canonicalJson({
      numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    }),
    `{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA'B\\"\\\\\\\\\\"/"}`,
  );
  const keys = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6'];
  const sorted = canonicalJson(Object.fromEntries(keys.map((key) => [key, 0])));
  t.same(Object.keys(JSON.parse(sorted)).slice(1), ['\r', '\u0080', '\u00f6', '\u20ac', '\u{1f600}', '\ufb33']);
  t.ok(sorted.indexOf('"\\r"') < sorted.indexOf('"1"'), 'by code unit, not as numbers');
  t.end();
});

t.test('the order of members and absent ones do not matter', (t) => {
  t.equal(canonicalJson({ b: 1, a: undefined, c: { y: 1, x: 2 } }), canonicalJson({ c: { x: 2, y: 1 }, b: 1 }));
  t.end();
});

t.test('what JSON cannot say is refused', (t) => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, '\ud800', { '\udc00': 1 }]) {
    t.throws(() => canonicalJson({ value }), RangeError);
  }
  t.end();
});

t.test('it parses to the same value, and its own canonical form is itself', (t) => {
  const property = fc.property(fc.json(), (json) => {
    let canonical: string;
    try {
      canonical = canonicalJson(JSON.parse(json));
    } catch (error) {
      return error instanceof RangeError;
    }
    return canonicalJson(JSON.parse(canonical)) === canonical;
  });
  t.doesNotThrow(() => fc.assert(property));
  t.end();
});
