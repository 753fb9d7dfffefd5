import t from 'tap';
import { configSchema } from '../../src/config/schema.ts';
import { settingsWithin } from './support/schema.ts';

t.test('every setting says what it is for: editors and the reference have nothing else to show', async (t) => {
  const settings = settingsWithin(configSchema);
  t.ok(settings.length > 80, `${settings.length} were looked up`);
  for (const { path, description } of settings) t.match(description, /^\S.*\.$/, path);
});

t.test('one that says nothing is seen, however deep it lies', async (t) => {
  const b = { properties: { b: { patternProperties: { '^.*$': { description: 'C.' } } } } };
  t.strictSame(settingsWithin({ properties: { a: { items: { anyOf: [b] } } } }), [
    { path: 'a', description: '' },
    { path: 'a[].b', description: '' },
    { path: 'a[].b.NAME', description: 'C.' },
  ]);
});
