import type { JsonSpan } from '../../formats/json-spans.ts';
import type { Edit } from '../../formats/splice.ts';
import type { ChatCompletion, ChatCompletionChunk, ChatRequest } from '../../openai/chat.ts';
import type { TextRequest } from '../../openai/completions.ts';
import type { Plan } from '../../policy/plan.ts';
import type { PromptFit } from '../../prompts/compatibility.ts';
import type { PromptVersion } from '../../prompts/registry.ts';
import type { Answer, RelayedAnswer } from '../backend.ts';
import type { Check, CheckContext } from './check.ts';
import type { CleanBody } from './clean-body.ts';
import type { LocalModel } from './local-model.ts';
import type { UpstreamServer } from './server.ts';
import type { ServerCall } from './server-json.ts';
import type { WireTextGuard } from './text-guard.ts';

/** Which of the two requests. */
export type Surface = 'chat' | 'completion';

/** What one server says that it serves. */
export interface Served {
  /** The model by the name that requests must carry. */
  readonly model: string;
  /** LoRA adapters of it. */
  readonly adapters: readonly string[];
  /** Prompt and answer together, in tokens; null where it doesn't say. */
  readonly contextLength: number | null;
}

/** The JSON text of a request, and where its fields stand. */
export interface RequestText {
  readonly bytes: Buffer;
  readonly object: JsonSpan;
  readonly fields: ReadonlyMap<string, JsonSpan>;
}

/** What one kind of server does its own way, though all of them speak OpenAI's wire. */
export interface Dialect {
  readonly kind: 'vllm' | 'tgi' | 'llamacpp' | 'sglang';
  /** `wanted` is the configured name; null where the settings name none. Throws `model_unavailable`, `upstream_*`. */
  discover(server: UpstreamServer, wanted: string | null, call: ServerCall): Promise<Served>;
  /** Its release. Throws `upstream_*`. */
  checkVersion(context: CheckContext): Promise<Check>;
  /** Which well-known control tokens its tokenizer takes as one token; all of them where it can't be asked. */
  findControlTokens(server: UpstreamServer, model: string, call: ServerCall): Promise<readonly string[]>;
  /** Fields, besides those that all have, of which it puts text before the model. */
  readonly readFields: readonly string[];
  /** Refuses what would leave the prompt out or replace it, and what an answer would be wrong without. Throws `unsupported_parameter`. */
  refuse(request: object, surface: Surface): void;
  /** What it calls otherwise than OpenAI does. */
  edits(text: RequestText, request: object, surface: Surface): readonly Edit[];
  /** Its answer in OpenAI's shapes. */
  readAnswer(answer: RelayedAnswer, surface: Surface): RelayedAnswer;
}

/** What requests are made for. */
export interface Target {
  /** The servers' name for the model or the adapter. */
  readonly model: string;
  /** Prompt and answer together, in tokens; null where the server doesn't say. */
  readonly contextLength: number | null;
  readonly dialect: Dialect;
}

/** A request as it goes out, and how its answer is to be read. */
export interface Outgoing<Whole, Part> {
  readonly path: '/v1/chat/completions' | '/v1/completions';
  readonly body: readonly Uint8Array[];
  read(answer: RelayedAnswer): Answer<Whole, Part> | Promise<Answer<Whole, Part>>;
}

/** How a soft prompt gets to a server. */
export interface Wire {
  /** The model's own files, where the settings name them. */
  readonly local: LocalModel | null;
  /** What a client's text may not spell besides control tokens; null for nothing. */
  readonly guard: WireTextGuard | null;
  /** What a request may not say that is handed on unread (`passThrough`); null for nothing. */
  readonly handedOnGuard: WireTextGuard | null;
  /** Throws what a request cannot say on this wire. */
  chat(body: CleanBody<ChatRequest>, plan: Plan, target: Target): Outgoing<ChatCompletion, ChatCompletionChunk>;
  completion(body: CleanBody<TextRequest>, plan: Plan, target: Target): RelayedRequest;
  /** Whether a prompt is one that can be sent. Throws `prompt_mismatch`. */
  assertFits(prompt: PromptVersion): PromptFit;
  /** What a prompt does on one server. Ends at the first that fails. Throws `upstream_*`. */
  check(context: CheckContext, prompt: PromptVersion): Promise<readonly Check[]>;
}

/** One whose answer goes through as it is. */
export type RelayedRequest = Omit<Outgoing<never, never>, 'read'>;
