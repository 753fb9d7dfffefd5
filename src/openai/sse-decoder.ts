import { PreambleError } from '../errors.ts';

/** Characters of one event: ample for a chunk with 20 logprobs a token or a long tool call, and a bound on what a server can make us hold. */
const MAX_EVENT_LENGTH = 16 * 1024 * 1024;

export interface ServerSentEvent {
  /** 'message' where the stream names none. */
  event: string;
  /** The `data` lines, joined by line feeds. */
  data: string;
}

export interface SseDecoder {
  /** The events that are complete with these bytes. Throws PreambleError `format_invalid` when one outgrows the limit. */
  push(bytes: Uint8Array): ServerSentEvent[];
}

/**
 * Reads `text/event-stream` as it arrives, cut anywhere (WHATWG HTML, 9.2.6 "Interpreting an event stream"): LF, CR and CRLF, comments,
 * several `data` lines, a byte order mark, malformed UTF-8 as U+FFFD. An event that no blank line ends is dropped, as the standard says.
 * Time is linear in the bytes, however they are cut.
 */
export function createSseDecoder(maxEventLength: number = MAX_EVENT_LENGTH): SseDecoder {
  const utf8 = new TextDecoder();
  let line: string[] = [];
  let data: string[] = [];
  let name = '';
  let length = 0;
  let afterCarriageReturn = false;

  function hold(piece: string): void {
    length += piece.length;
    if (length > maxEventLength) {
      throw new PreambleError('format_invalid', `A server-sent event is longer than ${maxEventLength} characters.`);
    }
    if (piece !== '') line.push(piece);
  }

  function endLine(): ServerSentEvent | null {
    const text = line.join('');
    line = [];
    if (text === '') return endEvent();
    const colon = text.indexOf(':');
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? '' : text.slice(text[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') data.push(value);
    else if (field === 'event') name = value;
    return null;
  }

  function endEvent(): ServerSentEvent | null {
    const event = data.length === 0 ? null : { event: name || 'message', data: data.join('\n') };
    data = [];
    name = '';
    length = 0;
    return event;
  }

  return {
    push(bytes) {
      let text = utf8.decode(bytes, { stream: true });
      if (afterCarriageReturn && text !== '') {
        if (text.startsWith('\n')) text = text.slice(1);
        afterCarriageReturn = false;
      }
      const events: ServerSentEvent[] = [];
      const pieces = text.split(/\r\n|\r|\n/);
      for (const [i, piece] of pieces.entries()) {
        if (i > 0) {
          const event = endLine();
          if (event !== null) events.push(event);
        }
        hold(piece);
      }
      if (text.endsWith('\r')) afterCarriageReturn = true;
      return events;
    },
  };
}

/** The events of a response body, as they become complete. */
export async function* readServerSentEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  const decoder = createSseDecoder();
  for await (const bytes of body) yield* decoder.push(bytes);
}
