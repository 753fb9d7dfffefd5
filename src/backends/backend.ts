import type { ChatCompletion, ChatCompletionChunk, ChatCompletionRequest } from '../openai/chat.ts';
import type { Completion, CompletionRequest } from '../openai/completions.ts';
import type { Plan } from '../policy/plan.ts';

/** A backend answers whole or in parts, as the request's `stream` says. */
export type Answer<Whole, Part> =
  | { readonly kind: 'whole'; readonly body: Whole }
  | { readonly kind: 'stream'; readonly parts: AsyncIterable<Part> };

export interface Call<Request> {
  readonly id: string;
  readonly request: Request;
  readonly plan: Plan;
  /** Fires when the client goes away or the gateway gives up. */
  readonly signal: AbortSignal;
}

/** One model server, or a pool of them. Nothing outside `backends/` knows its wire. */
export interface Backend {
  readonly kind: 'embedded';
  chatCompletion(call: Call<ChatCompletionRequest>): Promise<Answer<ChatCompletion, ChatCompletionChunk>>;
  completion(call: Call<CompletionRequest>): Promise<Answer<Completion, Completion>>;
  /** Resolves when requests can be answered; rejects with the reason when they never will. */
  ready(): Promise<void>;
  close(): Promise<void>;
}
