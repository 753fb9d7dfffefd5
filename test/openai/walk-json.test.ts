import fc from 'fast-check';
import t from 'tap';
import { assertJsonDepth, MAX_JSON_DEPTH, pathOf, walkJson } from '../../src/openai/walk-json.ts';

function nested(depth: number): unknown {
  return JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
}

t.test('the deepest that is allowed passes, one more does not', async (t) => {
  t.doesNotThrow(() => assertJsonDepth(nested(MAX_JSON_DEPTH)));
  t.throws(() => assertJsonDepth(nested(MAX_JSON_DEPTH + 1)), {
    code: 'invalid_request',
    message: /deeper than 128 levels/,
  });
  t.throws(() => assertJsonDepth({ a: [{ b: {} }] }, 3), { code: 'invalid_request' });
  t.doesNotThrow(() => assertJsonDepth({ a: [{ b: 'x' }] }, 3));
});

t.test('a body nested 200,000 deep ends in that error, not in a stack overflow', async (t) => {
  let value: unknown = {};
  for (let i = 0; i < 200_000; i++) value = i % 2 === 0 ? [value] : { a: value };
  t.throws(() => assertJsonDepth(value), { code: 'invalid_request' });
  let visited = 0;
  walkJson(value, () => visited++);
  t.equal(visited, 200_001);
});

t.test('every string, object and array is visited once, parents first, under its path', async (t) => {
  const paths: string[] = [];
  walkJson({ a: ['x', { b: null, c: 'y' }], d: 5, e: {} }, (node) => paths.push(pathOf(node)));
  t.strictSame(paths, ['', 'a', 'a[0]', 'a[1]', 'a[1].c', 'e']);
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        let visited = 0;
        walkJson(value, () => visited++);
        let expected = 0;
        JSON.stringify(value, (_, child: unknown) => {
          if (typeof child === 'string' || (typeof child === 'object' && child !== null)) expected++;
          return child;
        });
        return visited === expected;
      }),
    ),
  );
});
