import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { messageSchema } from '../chat.ts';

const responseStateSchema = Type.Object({
  /** As the client got it. */
  response: Type.Record(Type.String(), Type.Unknown()),
  /** The conversation up to and with this answer, as chat messages. Without `instructions`: they hold for one response only. */
  messages: Type.Array(messageSchema),
});

/** What is remembered of one answer: enough to show it again and to go on from it. JSON. */
export type ResponseState = Static<typeof responseStateSchema>;

const validator = Compile(responseStateSchema);

/** For stores: what came back, as a state; null if it is none (written by another version, say). */
export function readResponseState(value: unknown): ResponseState | null {
  return validator.Check(value) ? value : null;
}

/**
 * Remembers answers of `/v1/responses`, each tenant's by itself: an id that another tenant was given means nothing. Ids are made by the
 * gateway (`resp_` and 32 hex digits). What is kept is forgotten after a time that the store knows.
 */
export interface ResponseStore {
  save(tenantId: string, id: string, state: ResponseState): Promise<void>;
  /** Null where there is nothing under this id, or no longer. */
  load(tenantId: string, id: string): Promise<ResponseState | null>;
  /** Whether there was something to remove. */
  remove(tenantId: string, id: string): Promise<boolean>;
}
