import t from 'tap';
import { createRefusalDetector } from '../../src/refusal/phrase-detector.ts';

const detector = createRefusalDetector();

/** How many of the pieces were read before nothing more was needed; null for all of them. */
function settledAfter(pieces: readonly string[]): number | null {
  const observer = detector.start();
  for (const [index, piece] of pieces.entries()) {
    observer.push(piece);
    if (observer.isSettled()) return index + 1;
  }
  return null;
}

const help = 'First take the old paint off with a brush, then wash the wall and let it dry for a day. ';

t.test('a whole sentence that refuses settles it', async (t) => {
  t.equal(settledAfter(["I can't help", ' with that. ', 'Is there anything else?']), 2);
});

t.test('so does help, once there is enough of it', async (t) => {
  t.equal(settledAfter([help, help, help]), 2);
  t.equal(settledAfter(['1. Buy paint.\n', '2. Paint.\n', '3. Wait.\n']), 2);
});

t.test('an apology alone does not: help may follow', async (t) => {
  t.equal(settledAfter(["I'm sorry to hear that. ", help, help]), 3);
});

t.test('a little text leaves it open', async (t) => {
  t.equal(settledAfter(['Hello. ', 'How are you today? ']), null);
});
