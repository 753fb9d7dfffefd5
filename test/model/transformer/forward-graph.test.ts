import t from 'tap';
import { openCheckpoint } from '../../../src/model/checkpoint.ts';
import { fixtureDirectory, fixtureNames, forward, largestDifference, recording } from './support/fixtures.ts';

/** Two float32 implementations that add in different orders differ by a few units in the sixth digit. */
const TOLERANCE = 1e-4;

for (const name of await fixtureNames()) {
  t.test(`${name}: the logits that transformers computed`, async (t) => {
    const checkpoint = await openCheckpoint(fixtureDirectory(name));
    const { ids, logits } = await recording(name);
    const difference = largestDifference(await forward(checkpoint, ids), logits);
    t.comment(`largest difference ${difference.toExponential(1)}`);
    t.ok(difference < TOLERANCE, `${difference} < ${TOLERANCE}`);
  });
}
