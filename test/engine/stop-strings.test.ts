import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { createStopMatcher } from '../../src/engine/stop-strings.ts';

/** The definition: grow the text a character at a time until it ends in a stop string; of several, cut before the longest. */
function naive(text: string, stop: readonly string[]): { text: string; stopped: boolean } {
  for (let end = 1; end <= text.length; end++) {
    const said = text.slice(0, end);
    const lengths = stop.filter((pattern) => said.endsWith(pattern)).map((pattern) => pattern.length);
    if (lengths.length > 0) return { text: said.slice(0, end - Math.max(...lengths)), stopped: true };
  }
  return { text, stopped: false };
}

/** The longest ending of `text` that begins some stop string. */
function couldBegin(text: string, stop: readonly string[]): number {
  for (let length = text.length; length > 0; length--) {
    const ending = text.slice(text.length - length);
    if (stop.some((pattern) => pattern.length > length && pattern.startsWith(ending))) return length;
  }
  return 0;
}

// Two letters make overlaps, and partial matches that fail late, likely.
const letters = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 60 });
const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 9 }), { maxLength: 4 });
const cuts = fc.array(fc.nat({ max: 60 }), { maxLength: 20 });

function piecesOf(text: string, at: readonly number[]): string[] {
  const edges = [0, ...at.filter((cut) => cut <= text.length), text.length].sort((a, b) => a - b);
  return edges.slice(1).map((edge, i) => text.slice(edges[i], edge));
}

t.test('however the text is cut, the answer is what the definition says', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(letters, stops, cuts, (text, stop, at) => {
        const matcher = createStopMatcher(stop);
        let shown = '';
        let stopped = false;
        for (const piece of piecesOf(text, at)) {
          const result = matcher.push(piece);
          shown += result.text;
          stopped = result.stopped;
        }
        if (!stopped) shown += matcher.flush();
        return isDeepStrictEqual({ text: shown, stopped }, naive(text, stop));
      }),
      { numRuns: 2000 },
    ),
  );
});

t.test('holds back no more than could begin a stop string', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(letters, stops, cuts, (text, stop, at) => {
        const matcher = createStopMatcher(stop);
        let said = '';
        let shown = '';
        for (const piece of piecesOf(text, at)) {
          const result = matcher.push(piece);
          if (result.stopped) return true;
          said += piece;
          shown += result.text;
          if (said.length - shown.length !== couldBegin(said, stop)) return false;
        }
        return true;
      }),
      { numRuns: 2000 },
    ),
  );
});

t.test('the stop string that is complete first wins, not the one listed first or begun first', async (t) => {
  t.strictSame(createStopMatcher(['abcd', 'bc']).push('xabcd'), { text: 'xa', stopped: true });
  t.strictSame(createStopMatcher(['c', 'abc']).push('xabc'), { text: 'x', stopped: true });
});

t.test('a partial match that fails late falls back to the longest that still holds', async (t) => {
  t.strictSame(createStopMatcher(['aabaaaX']).push('aabaaabaaaX'), { text: 'aaba', stopped: true });
});

t.test('nothing more is said after a stop', async (t) => {
  const matcher = createStopMatcher(['\n\n']);
  t.strictSame(matcher.push('one\n'), { text: 'one', stopped: false });
  t.strictSame(matcher.push('\ntwo'), { text: '', stopped: true });
  t.strictSame(matcher.push('three'), { text: '', stopped: true });
  t.equal(matcher.flush(), '');
});

t.test('characters outside the basic plane match whole', async (t) => {
  t.strictSame(createStopMatcher(['🛑']).push('go 🚦 then 🛑!'), { text: 'go 🚦 then ', stopped: true });
});

t.test('long stop strings cost linear time', async (t) => {
  const stop = `${'a'.repeat(20_000)}b`;
  const matcher = createStopMatcher([stop]);
  const start = performance.now();
  let shown = 0;
  for (let i = 0; i < 200; i++) shown += matcher.push('a'.repeat(1_000)).text.length;
  // A comparison of every ending with the stop string would take some 10^9 steps.
  t.ok(performance.now() - start < 2_000);
  t.equal(shown + matcher.flush().length, 200_000);
});

t.test('an empty stop string is refused', async (t) => {
  t.throws(() => createStopMatcher(['a', '']), RangeError);
});
