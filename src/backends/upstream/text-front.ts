import { arraySpans, type JsonSpan, objectSpans } from '../../formats/json-spans.ts';
import type { Edit } from '../../formats/splice.ts';
import type { ChatMessage } from '../../openai/chat.ts';
import type { Front } from './chat-body.ts';

/**
 * A text at the head of a message's own, which follows after a line feed, as the embedded engine and vLLM join parts. It goes into the first
 * text that is there: servers join parts differently, with a line feed, a blank or nothing.
 */
export function textFront(text: string): Front {
  const quoted = JSON.stringify(text);
  const alone = [Buffer.from(quoted)];
  // Within a string that has its quotes already.
  const head = Buffer.from(JSON.stringify(`${text}\n`).slice(1, -1));
  const part = Buffer.from(`{"type":"text","text":${quoted}},`);
  return {
    alone,
    inFrontOf(bytes, span, content) {
      if (content === null || content === undefined) return [{ ...span, bytes: alone }];
      if (!Array.isArray(content)) return [insideString(span, head)];
      const first = textOfFirstPart(bytes, span, content);
      if (first !== null) return [insideString(first, head)];
      return [{ start: span.start + 1, end: span.start + 1, bytes: [part] }];
    },
  };
}

function insideString({ start }: JsonSpan, bytes: Uint8Array): Edit {
  return { start: start + 1, end: start + 1, bytes: [bytes] };
}

/** Null where the conversation begins with something else, an image say. */
function textOfFirstPart(
  bytes: Buffer,
  span: JsonSpan,
  [first]: Extract<ChatMessage['content'], readonly unknown[]>,
): JsonSpan | null {
  if (first?.type !== 'text' || typeof first.text !== 'string') return null;
  const [part] = arraySpans(bytes, span);
  return part === undefined ? null : (objectSpans(bytes, part).get('text') ?? null);
}
