/** A client can invent names without end; more than this many are not worth remembering. */
const MAX_NAMES = 200;
/** Characters of a name that are logged. */
const MAX_NAME_LENGTH = 64;

/** Reports each name once, however many requests carry it. */
export function createIgnoredFields(report: (name: string) => void): (names: readonly string[]) => void {
  const seen = new Set<string>();
  return (names) => {
    for (const name of names) {
      const shown = name.slice(0, MAX_NAME_LENGTH);
      if (seen.has(shown) || seen.size >= MAX_NAMES) continue;
      seen.add(shown);
      report(shown);
    }
  };
}
