import { PreambleError } from '../errors.ts';

/** One token with twenty alternatives takes a few kilobytes; a whole answer in one event some megabytes. */
const MAX_FRAME_BYTES = 8 * 2 ** 20;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** One server-sent event as it came, its closing blank line included. */
export interface SseFrame {
  readonly bytes: Uint8Array;
  /** Its `data` lines, joined by line feeds; null for a comment. */
  readonly data: string | null;
}

export interface SseFramer {
  /** The events that are complete with these bytes. Throws PreambleError `upstream_invalid` when one outgrows the limit. */
  push(bytes: Uint8Array): SseFrame[];
  /** Bytes of an event that has not ended. */
  pending(): number;
}

/**
 * Cuts `text/event-stream` into its events and keeps their bytes, so that they can be handed on as they came and nobody ever gets half of
 * one. Lines end with LF or CRLF; a stream of lone CRs, which no model server sends, is one event that outgrows the limit.
 */
export function createSseFramer(maxBytes: number = MAX_FRAME_BYTES): SseFramer {
  let held: Buffer<ArrayBufferLike> = Buffer.alloc(0);
  /** Where in `held` the line begins that has not ended yet. */
  let lineStart = 0;

  return {
    push(bytes) {
      const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const all = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const frames: SseFrame[] = [];
      let frameStart = 0;
      for (let end = all.indexOf(LINE_FEED, lineStart); end >= 0; end = all.indexOf(LINE_FEED, lineStart)) {
        const isBlank = end === lineStart || (end === lineStart + 1 && all[lineStart] === CARRIAGE_RETURN);
        lineStart = end + 1;
        if (!isBlank) continue;
        const frame = all.subarray(frameStart, lineStart);
        frames.push({ bytes: frame, data: dataOf(frame) });
        frameStart = lineStart;
      }
      held = all.subarray(frameStart);
      lineStart -= frameStart;
      // Those that are complete are handed on first; the next bytes find it too large again.
      if (held.length > maxBytes && frames.length === 0) {
        throw new PreambleError('upstream_invalid', `The model server sent an event of more than ${maxBytes} bytes.`);
      }
      return frames;
    },
    pending: () => held.length,
  };
}

function dataOf(frame: Buffer): string | null {
  const text = frame.toString('utf8');
  const lines = text.split('\n').flatMap((line) => {
    if (!line.startsWith('data:')) return [];
    const value = line.slice(line.startsWith('data: ') ? 6 : 5);
    return [value.endsWith('\r') ? value.slice(0, -1) : value];
  });
  return lines.length === 0 ? null : lines.join('\n');
}
