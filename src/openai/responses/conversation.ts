import { PreambleError } from '../../errors.ts';
import type { ChatMessage } from '../chat.ts';
import { fieldError, isObject } from '../validate.ts';
import { isResponseId, responseOfItem } from './ids.ts';
import { type InputItem, readItem } from './input-items.ts';
import type { ResponsesRequest } from './request.ts';
import type { ResponseObject } from './response.ts';
import type { ResponseState, ResponseStore } from './store.ts';
import { toMessages } from './to-messages.ts';
import { unsupported } from './unsupported.ts';

/** Each turn is kept with all before it, images as text included; what is larger is kept by the client. */
const MAX_STATE_CHARACTERS = 16 * 2 ** 20;
/** Kept answers that one request may refer to: each is looked up by itself. */
const MAX_REFERENCED = 128;

/**
 * The messages of a request, with what it goes on from; `instructions` are not among them. Throws `unsupported_parameter` where answers
 * are not kept, `invalid_request` where the tenant has none by that id.
 */
export async function readConversation(
  { fields, items }: ResponsesRequest,
  store: ResponseStore | null,
  tenantId: string,
): Promise<ChatMessage[]> {
  const previous = fields.previous_response_id;
  const before = previous === undefined ? [] : (await loadPrevious(previous, store, tenantId)).messages;
  return toMessages(before, await resolveReferences(items, store, tenantId));
}

/** What is to be remembered of an answer that came to its end. Throws `body_too_large`. */
export function toState(response: ResponseObject, conversation: readonly ChatMessage[]): ResponseState {
  const said = response.output.flatMap((item, index) => readItem(item, `output[${index}]`));
  const state = { response: { ...response }, messages: toMessages(conversation, said) };
  if (JSON.stringify(state).length > MAX_STATE_CHARACTERS) {
    throw new PreambleError('body_too_large', 'The conversation is too large to be kept.');
  }
  return state;
}

async function loadPrevious(id: string, store: ResponseStore | null, tenantId: string): Promise<ResponseState> {
  if (store === null) {
    throw unsupported(
      'previous_response_id',
      'Answers are not kept here: this gateway has no Redis',
      'Send the whole conversation as input, or have redis configured.',
    );
  }
  const state = isResponseId(id) ? await store.load(tenantId, id) : null;
  if (state !== null) return state;
  throw new PreambleError('invalid_request', 'There is no previous response with this id, or no longer.', {
    action: 'Send the whole conversation as input.',
    param: 'previous_response_id',
  });
}

/** Some clients send the id of an item that an answer had in the item's place (`item_reference`). */
async function resolveReferences(
  items: readonly InputItem[],
  store: ResponseStore | null,
  tenantId: string,
): Promise<InputItem[]> {
  const outputs = new Map<string, readonly unknown[]>();
  const resolved: InputItem[] = [];
  for (const item of items) {
    if (item.kind !== 'reference') {
      resolved.push(item);
      continue;
    }
    const { id, path } = item;
    if (store === null) {
      throw unsupported(
        path,
        `'${path}' refers to an item, and items are not kept here: this gateway has no Redis`,
        "Send the item itself (clients do with 'store' set to false), or have redis configured.",
      );
    }
    const responseId = responseOfItem(id);
    const output =
      responseId === null ? [] : (outputs.get(responseId) ?? (await loadOutput(responseId, store, tenantId)));
    if (responseId !== null) outputs.set(responseId, output);
    if (outputs.size > MAX_REFERENCED) throw fieldError(path, `refers to more than ${MAX_REFERENCED} responses`);
    const found = output.find((candidate) => isObject(candidate) && candidate['id'] === id);
    if (found === undefined) throw fieldError(path, 'there is no item with this id, or no longer');
    resolved.push(...readItem(found, path));
  }
  return resolved;
}

async function loadOutput(responseId: string, store: ResponseStore, tenantId: string): Promise<readonly unknown[]> {
  const output = (await store.load(tenantId, responseId))?.response['output'];
  return Array.isArray(output) ? output : [];
}
