import type { ChatCompletion, ChatCompletionChunk, ChatRequest } from '../openai/chat.ts';
import type { Completion, TextRequest } from '../openai/completions.ts';
import type { Plan } from '../policy/plan.ts';
import type { PromptFit } from '../prompts/compatibility.ts';
import type { PromptVersion } from '../prompts/registry.ts';

/** A backend answers whole or in parts, as the request's `stream` says. */
export type Answer<Whole, Part> =
  | { readonly kind: 'whole'; readonly body: Whole }
  | { readonly kind: 'stream'; readonly parts: AsyncIterable<Part> }
  | RelayedAnswer;

/** A model server's own answer, on its way through as it came. */
export interface RelayedAnswer {
  readonly kind: 'relayed';
  readonly status: number;
  /** Those that the client may see. */
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** Server-sent events; else one JSON value. */
  readonly events: boolean;
  /** The bytes, as they come. Ending the iteration ends the request to the server. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface Call<Request> {
  readonly id: string;
  readonly request: Request;
  /** The request as the client sent it, for backends that hand it on. */
  readonly body: Uint8Array;
  readonly plan: Plan;
  /** For the model server, beside its own; none where nothing is traced. */
  readonly traceHeaders: Readonly<Record<string, string>>;
  /** Fires when the client goes away or the gateway gives up. */
  readonly signal: AbortSignal;
}

/** A request of a kind that the gateway does not read. */
export interface HandedOn {
  readonly id: string;
  readonly path: string;
  readonly request: object;
  readonly body: Uint8Array;
  /** The server's name of the LoRA adapter that was asked for; null for the model itself. */
  readonly adapter: string | null;
  readonly signal: AbortSignal;
}

/** A model server as operators see it. */
export interface ServerStatus {
  readonly url: string;
  readonly healthy: boolean;
  /** Requests under way. */
  readonly outstanding: number;
  /** 0 to 1: how much of its share it gets. */
  readonly weight: number;
  /** Why it gets no requests; null when it does. */
  readonly problem: string | null;
}

/** One model server, or a pool of them. Nothing outside `backends/` knows its wire. */
export interface Backend {
  readonly kind: 'embedded' | 'vllm' | 'tgi' | 'llamacpp' | 'sglang';
  chatCompletion(call: Call<ChatRequest>): Promise<Answer<ChatCompletion, ChatCompletionChunk>>;
  completion(call: Call<TextRequest>): Promise<Answer<Completion, Completion>>;
  /** Hands on what the operator listed (`passThrough`); absent where there is no server to hand it on to. */
  handOn?(request: HandedOn): Promise<RelayedAnswer>;
  /** Reads anew what its settings only point to: a key in a file. Throws `file_unreadable`, `config_invalid`; then it keeps what it has. */
  renewKey?(): Promise<void>;
  /** Resolves when requests can be answered; rejects with the reason when they never will. */
  ready(): Promise<void>;
  /** Whether the rows of a prompt mean something to this model; once ready. Throws `prompt_mismatch`. */
  checkPrompt(prompt: PromptVersion): Promise<PromptFit>;
  /** Why requests can't be answered now, one sentence; null when they can. */
  problem(): string | null;
  /** The model servers behind it; none where the model runs in this process. */
  servers(): readonly ServerStatus[];
  /** What the engine in this process has to do; absent where there is none, null until the model is loaded. */
  queue?(): { readonly running: number; readonly waiting: number; readonly slots: number } | null;
  /** The server's LoRA adapters, by the server's names. */
  adapters(): ReadonlySet<string>;
  close(): Promise<void>;
}
