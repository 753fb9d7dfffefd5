export interface StopMatcher {
  /** Takes the next piece of text; returns what may be shown of it and of what was held back. After `stopped`, nothing more is. */
  push(text: string): { text: string; stopped: boolean };
  /** What was held back when the text ended without a stop string. */
  flush(): string;
}

/**
 * Finds the first of several stop strings in streamed text: the one that is complete at the earliest character ends the answer, and of
 * those that are complete at the same character the one that began first. What comes before it is shown, and only the
 * longest ending that could still become a stop string is held back. Constant work per character and stop string (Knuth, Morris
 * and Pratt, 1977). Throws RangeError on an empty stop string.
 */
export function createStopMatcher(stop: readonly string[]): StopMatcher {
  const patterns = stop.map(createPattern);
  let held = '';
  let stopped = false;

  /** Characters that the longest partial match spans. */
  function longestPartial(): number {
    return patterns.reduce((longest, pattern) => Math.max(longest, pattern.matched), 0);
  }

  return {
    push(text) {
      if (stopped) return { text: '', stopped };
      const all = held + text;
      for (let i = held.length; i < all.length; i++) {
        const code = all.charCodeAt(i);
        let longest = 0;
        for (const pattern of patterns) {
          if (advance(pattern, code)) longest = Math.max(longest, pattern.codes.length);
        }
        if (longest > 0) {
          stopped = true;
          held = '';
          return { text: all.slice(0, i + 1 - longest), stopped };
        }
      }
      const shown = all.length - longestPartial();
      held = all.slice(shown);
      return { text: all.slice(0, shown), stopped };
    },
    flush() {
      const rest = held;
      held = '';
      for (const pattern of patterns) pattern.matched = 0;
      return rest;
    },
  };
}

interface Pattern {
  /** UTF-16 code units */
  readonly codes: Uint16Array;
  /** For each prefix, the length of its longest proper prefix that is also its suffix. */
  readonly borders: Uint32Array;
  matched: number;
}

function createPattern(text: string): Pattern {
  if (text === '') throw new RangeError('A stop string must not be empty.');
  const codes = new Uint16Array(text.length);
  for (let i = 0; i < text.length; i++) codes[i] = text.charCodeAt(i);
  return { codes, borders: bordersOf(codes), matched: 0 };
}

function bordersOf(codes: Uint16Array): Uint32Array {
  const borders = new Uint32Array(codes.length);
  let length = 0;
  for (let i = 1; i < codes.length; i++) {
    while (length > 0 && codes[i] !== codes[length]) length = borders[length - 1] ?? 0;
    if (codes[i] === codes[length]) length++;
    borders[i] = length;
  }
  return borders;
}

/** Takes one code unit; true when the pattern is complete with it. */
function advance(pattern: Pattern, code: number): boolean {
  const { codes, borders } = pattern;
  while (pattern.matched > 0 && codes[pattern.matched] !== code) pattern.matched = borders[pattern.matched - 1] ?? 0;
  if (codes[pattern.matched] === code) pattern.matched++;
  return pattern.matched === codes.length;
}
