import type { Front } from '../upstream/chat-body.ts';

const comma = Buffer.from(',');
const beforeText = Buffer.from('[');
const betweenParts = Buffer.from(',{"type":"text","text":');
const afterText = Buffer.from('}]');
const [open, close] = [Buffer.from('['), Buffer.from(']')];

/** A content part, in JSON, in front of a text, which becomes a part of its own, or of the parts that are there. */
export function partFront(part: Uint8Array): Front {
  return {
    alone: [open, part, close],
    inFrontOf(_bytes, { start, end }, content) {
      if (Array.isArray(content)) return [{ start: start + 1, end: start + 1, bytes: [part, comma] }];
      return [
        { start, end: start, bytes: [beforeText, part, betweenParts] },
        { start: end, end, bytes: [afterText] },
      ];
    },
  };
}
