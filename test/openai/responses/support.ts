import type { Response, ResponseStreamEvent } from 'openai/resources/responses/responses';
import type { ChatDelta, ChatLogprobs } from '../../../src/openai/chat.ts';
import type { ResponseEvent } from '../../../src/openai/responses/events.ts';
import { newResponseId } from '../../../src/openai/responses/ids.ts';
import type { ChatPart } from '../../../src/openai/responses/read-chat.ts';
import { parseResponsesRequest } from '../../../src/openai/responses/request.ts';
import { newResponse, type ResponseObject } from '../../../src/openai/responses/response.ts';
import { translateAnswer } from '../../../src/openai/responses/translate-answer.ts';

/** What only OpenAI's client libraries put there, and a list of efforts that each model has its own of. */
type OnTheWire<Value> = Value extends { response: Response }
  ? Omit<Value, 'response'> & { response: OnTheWire<Response> }
  : Value extends Response
    ? Omit<Value, 'output_text' | 'reasoning'>
    : Value;

/** The compiler holds our shapes against those of OpenAI's own package. */
export const asOpenAiResponse = (response: ResponseObject): OnTheWire<Response> => response;
export const asOpenAiEvent = (event: ResponseEvent): OnTheWire<ResponseStreamEvent> => event;

export const part = (
  delta: ChatDelta,
  finishReason: string | null = null,
  logprobs: ChatLogprobs | null = null,
): ChatPart => ({ choices: [{ index: 0, delta, logprobs, finish_reason: finishReason }] });

export const usage: ChatPart = {
  choices: [],
  usage: {
    prompt_tokens: 11,
    completion_tokens: 5,
    total_tokens: 16,
    prompt_tokens_details: { cached_tokens: 4 },
    completion_tokens_details: { reasoning_tokens: 2 },
  },
};

export function begun(fields: object = {}) {
  const asked = parseResponsesRequest({ model: 'm', input: 'Hi', ...fields });
  return translateAnswer(newResponse(asked, newResponseId(), false));
}

/** A whole stream, to its end. */
export function translate(parts: readonly ChatPart[], fields: object = {}): ResponseEvent[] {
  const translation = begun(fields);
  const events = [...translation.begin(), ...parts.flatMap((one) => translation.push(one)), ...translation.close()];
  return [...events, translation.end(false)];
}

/** What a stream ended with. */
export function finalOf(events: readonly ResponseEvent[]): ResponseObject {
  const last = events.at(-1);
  if (last === undefined || !('response' in last)) throw new Error('the last event has no response');
  return last.response;
}
