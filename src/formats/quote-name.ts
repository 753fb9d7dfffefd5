/** Characters; longer names are cut in messages. */
const MAX_QUOTED_NAME = 80;

/** A name that came from a file, as it may stand in a one-line message. */
export function quoteName(name: string): string {
  return JSON.stringify(name.length > MAX_QUOTED_NAME ? `${name.slice(0, MAX_QUOTED_NAME)}…` : name);
}
