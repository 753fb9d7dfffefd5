import { toErrorResponse } from './error-body.ts';

/** One server-sent event; JSON has no raw line breaks, so one `data` line is enough. */
export function encodeEvent(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** The end of a stream, in OpenAI's way. */
export const DONE_EVENT = 'data: [DONE]\n\n';

/** An error after the stream has begun, when the status can no longer tell. */
export function encodeErrorEvent(thrown: unknown): string {
  return encodeEvent(toErrorResponse(thrown).body);
}

/** Keeps proxies between from ending a silent stream; clients skip it. */
export const KEEP_ALIVE_COMMENT = ': keep-alive\n\n';
