import t from 'tap';
import { createIgnoredFields } from '../../../src/backends/embedded/ignored-fields.ts';

t.test('each name is told once, cut to a length, and inventing names fills nothing up', async (t) => {
  const told: string[] = [];
  const ignored = createIgnoredFields((name) => told.push(name));
  ignored(['a', 'b']);
  ignored(['b', 'a', 'c']);
  t.strictSame(told, ['a', 'b', 'c']);
  ignored(['x'.repeat(10_000), `${'x'.repeat(10_000)}y`]);
  t.equal(told.at(-1), 'x'.repeat(64));
  t.equal(told.length, 4);
  for (let i = 0; i < 10_000; i++) ignored([`name-${i}`]);
  t.equal(told.length, 200);
});
