import fc from 'fast-check';
import t from 'tap';
import { frontierOf } from '../../../src/dro/pictures/frontier.ts';
import { sampleRate } from './sample-data.ts';

t.test('a setting is on the frontier exactly if no other is better on one side and as good on the other', async (t) => {
  const count = fc.integer({ min: 0, max: 8 });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(count, count), { maxLength: 12, selector: String }), (pairs) => {
        const settings = pairs.map(([harmful, harmless]) => ({
          harmfulRefused: sampleRate(harmful, 8),
          harmlessRefused: sampleRate(harmless, 8),
        }));
        const expected = pairs.filter(
          ([harmful, harmless], own) => !pairs.some(([y, x], other) => other !== own && y >= harmful && x <= harmless),
        );
        const frontier = frontierOf(settings);
        return frontier.length === expected.length && frontier.every((setting) => settings.includes(setting));
      }),
    ),
  );
});
