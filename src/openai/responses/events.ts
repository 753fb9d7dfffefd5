import type { FunctionCallItem, MessageItem, OutputItem, ResponseObject, TokenLogprob } from './response.ts';

interface Numbered {
  /** Counts up from 0 within one stream. */
  sequence_number: number;
}

/** Where something stands: the item in `output`, the part in the item. */
interface AtItem extends Numbered {
  item_id: string;
  output_index: number;
}

interface AtPart extends AtItem {
  content_index: number;
}

type Part = MessageItem['content'][number];

interface LifeCycle<Name extends string> extends Numbered {
  type: Name;
  response: ResponseObject;
}

export type FinalEvent = LifeCycle<'response.completed'> | LifeCycle<'response.incomplete'>;

/** What a stream of `/v1/responses` consists of, one server-sent event each. */
export type ResponseEvent =
  | LifeCycle<'response.created'>
  | LifeCycle<'response.in_progress'>
  | FinalEvent
  | LifeCycle<'response.failed'>
  | (Numbered & { type: 'response.output_item.added'; output_index: number; item: OutputItem })
  | (Numbered & { type: 'response.output_item.done'; output_index: number; item: OutputItem })
  | (AtPart & { type: 'response.content_part.added'; part: Part })
  | (AtPart & { type: 'response.content_part.done'; part: Part })
  | (AtPart & { type: 'response.output_text.delta'; delta: string; logprobs: TokenLogprob[] })
  | (AtPart & { type: 'response.output_text.done'; text: string; logprobs: TokenLogprob[] })
  | (AtPart & { type: 'response.refusal.delta'; delta: string })
  | (AtPart & { type: 'response.refusal.done'; refusal: string })
  | (AtItem & { type: 'response.function_call_arguments.delta'; delta: string })
  | (AtItem & { type: 'response.function_call_arguments.done'; name: string; arguments: string })
  | (Numbered & ErrorEvent);

/**
 * The documentation has the fault at the top, what OpenAI sends has it in `error`, and OpenAI's client libraries throw for the latter
 * only: both, so that nobody takes an answer that broke off for a whole one.
 */
interface ErrorEvent {
  type: 'error';
  message: string;
  code: string | null;
  param: string | null;
  error: { type: string; message: string; code: string | null; param: string | null };
}

type Unnumbered<Event> = Event extends Numbered ? Omit<Event, 'sequence_number'> : never;
export type NewEvent = Unnumbered<ResponseEvent>;

/** Takes an event and numbers it. What the event holds must be its own: it is sent later. */
export type Emit = (event: NewEvent) => void;

/** Its `event:` line repeats the type, as some clients go by that. */
export function encodeResponseEvent(event: ResponseEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** An item of the output while it comes in. */
export interface OpenItem<Item extends OutputItem> {
  readonly kind: Item['type'];
  /** As it stands. */
  item(): Item;
  close(status: FunctionCallItem['status']): Item;
}
