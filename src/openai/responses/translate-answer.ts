import { PreambleError } from '../../errors.ts';
import type { Emit, FinalEvent, NewEvent, ResponseEvent } from './events.ts';
import { itemId, newCallId } from './ids.ts';
import { type OpenCall, openCall } from './open-call.ts';
import { type OpenMessage, openMessage } from './open-message.ts';
import { type ChatPart, type Spoken, type StreamFault, toResponseUsage, toTokenLogprobs } from './read-chat.ts';
import { type ItemStatus, nowInSeconds, type OutputItem, type ResponseObject } from './response.ts';

/** Calls in one answer: the number is the model server's to choose, the memory is ours. */
const MAX_CALLS = 128;

/** Turns the parts of one chat answer into the events of a response, in OpenAI's order: an item is done before the next begins. */
export interface AnswerTranslation {
  begin(): ResponseEvent[];
  /** Throws `upstream_invalid` where the parts make no answer. */
  push(part: ChatPart): ResponseEvent[];
  /** Closes what is open; the response is then complete but for `end`. Throws `upstream_broken` where the answer did not come to its end. */
  close(): ResponseEvent[];
  /** The last event of an answer that was closed; `stored` says whether it is kept, as was promised at the beginning. */
  end(stored: boolean): FinalEvent;
  /** The last events of an answer that broke off. */
  fail(fault: StreamFault, rateLimited: boolean): ResponseEvent[];
  /** As it stands. */
  response(): ResponseObject;
}

export function translateAnswer(begun: ResponseObject): AnswerTranslation {
  let response = begun;
  let sequence = 0;
  let pending: ResponseEvent[] = [];
  let open: OpenMessage | OpenCall | null = null;
  let callIndex = -1;
  /** A call whose name has not come yet. */
  let unnamed: { callId: string | null; arguments: string } | null = null;
  let finishReason: string | null = null;

  const number = <Event extends NewEvent>(event: Event) => ({ ...event, sequence_number: sequence++ });
  const emit: Emit = (event) => pending.push(number(event));
  const taken = (): ResponseEvent[] => {
    const events = pending;
    pending = [];
    return events;
  };
  const closeOpen = (status: ItemStatus): void => {
    if (unnamed !== null) throw invalid('The model server sent a tool call without a name.');
    if (open !== null) response = { ...response, output: [...response.output, open.close(status)] };
    open = null;
  };
  const message = (before: ItemStatus = 'completed'): OpenMessage => {
    if (open?.kind === 'message') return open;
    closeOpen(before);
    const index = response.output.length;
    const opened = openMessage(itemId('msg', response.id, index), index, emit);
    open = opened;
    return opened;
  };

  function addCall(call: NonNullable<Spoken['tool_calls']>[number]): void {
    const index = call.index ?? 0;
    if (index < callIndex || index >= MAX_CALLS) throw invalid('The model server sent tool calls out of order.');
    if (index > callIndex) {
      closeOpen('completed');
      callIndex = index;
      unnamed = { callId: null, arguments: '' };
    }
    const text = call.function?.arguments ?? '';
    if (unnamed === null) {
      if (open?.kind !== 'function_call') throw invalid('The model server went back to a tool call that it had left.');
      open.arguments(text);
      return;
    }
    unnamed = { callId: unnamed.callId ?? call.id ?? null, arguments: unnamed.arguments + text };
    const name = call.function?.name ?? '';
    if (name === '') return;
    const { callId, arguments: held } = unnamed;
    unnamed = null;
    const at = response.output.length;
    const opened = openCall({ id: itemId('fc', response.id, at), callId: callId || newCallId(), name }, at, emit);
    opened.arguments(held);
    open = opened;
  }

  return {
    begin() {
      emit({ type: 'response.created', response });
      emit({ type: 'response.in_progress', response });
      return taken();
    },
    push(part) {
      if (part.usage) response = { ...response, usage: toResponseUsage(part.usage) };
      for (const { index, delta, logprobs, finish_reason: reason } of part.choices) {
        // Only one was asked for.
        if (index !== 0) continue;
        const probabilities = toTokenLogprobs(logprobs);
        // What says why an answer is cut off does not make whole what stands before it.
        const before = reason === 'content_filter' ? 'incomplete' : 'completed';
        if (delta.content || probabilities.length > 0) message(before).text(delta.content ?? '', probabilities);
        if (delta.refusal) message().refusal(delta.refusal);
        for (const call of delta.tool_calls ?? []) addCall(call);
        finishReason = reason ?? finishReason;
      }
      return taken();
    },
    close() {
      const ending = endingOf(finishReason);
      // As OpenAI has it: an answer of nothing is an empty message.
      if (response.output.length === 0 && open === null && unnamed === null) message().text('', []);
      closeOpen(ending.status);
      const completedAt = ending.status === 'completed' ? nowInSeconds() : null;
      response = { ...response, ...ending, completed_at: completedAt };
      return taken();
    },
    end(stored) {
      response = { ...response, store: stored };
      return response.status === 'incomplete'
        ? number({ type: 'response.incomplete', response })
        : number({ type: 'response.completed', response });
    },
    fail({ message: text, code, param }, rateLimited) {
      const left: OutputItem[] = open === null ? [] : [{ ...open.item(), status: 'incomplete' }];
      const error = { code: rateLimited ? 'rate_limit_exceeded' : 'server_error', message: text } as const;
      const output = [...response.output, ...left];
      response = { ...response, status: 'failed', error, output, store: false, completed_at: null };
      const told = { message: text, code, param };
      emit({ type: 'error', ...told, error: { type: error.code, ...told } });
      emit({ type: 'response.failed', response });
      return taken();
    },
    response: () => response,
  };
}

type Ending = Pick<ResponseObject, 'incomplete_details'> & { status: 'completed' | 'incomplete' };

function endingOf(finishReason: string | null): Ending {
  switch (finishReason) {
    case 'stop':
    case 'tool_calls':
    case 'function_call':
      return { status: 'completed', incomplete_details: null };
    case 'length':
      return { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } };
    case 'content_filter':
      return { status: 'incomplete', incomplete_details: { reason: 'content_filter' } };
    // vLLM's `abort` and `error`, or no reason at all.
    default:
      throw new PreambleError('upstream_broken', 'The model server broke off before the answer was complete.', {
        action: 'Try again.',
      });
  }
}

function invalid(message: string): PreambleError {
  return new PreambleError('upstream_invalid', message);
}
