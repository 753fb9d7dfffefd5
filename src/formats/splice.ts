/** Bytes in the place of others. `start === end` puts them in front of what stands there. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly bytes: readonly Uint8Array[];
}

/** `bytes` with edits that do not overlap, as pieces to be sent one after the other; nothing is copied. */
export function splice(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  // Stable: of two edits at one place the first named stands first.
  for (const { start, end, bytes: inserted } of edits.toSorted((a, b) => a.start - b.start)) {
    if (start > at) pieces.push(bytes.subarray(at, start));
    pieces.push(...inserted);
    at = end;
  }
  if (at < bytes.length) pieces.push(bytes.subarray(at));
  return pieces;
}
