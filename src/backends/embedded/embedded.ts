import type { GenerationEvent } from '../../engine/generation.ts';
import { PreambleError } from '../../errors.ts';
import { newAnswerIdentity } from '../../openai/answer.ts';
import {
  type ChatCompletion,
  type ChatCompletionChunk,
  type ChatCompletionRequest,
  parseChatCompletionRequest,
} from '../../openai/chat.ts';
import { chatChunks } from '../../openai/chat-answer.ts';
import { collectChatCompletion } from '../../openai/collect-chat.ts';
import { collectCompletion } from '../../openai/collect-completion.ts';
import { completionParts } from '../../openai/completion-answer.ts';
import { type Completion, type CompletionRequest, parseCompletionRequest } from '../../openai/completions.ts';
import { listPrompts } from '../../openai/list-prompts.ts';
import { MAX_CHOICES } from '../../openai/request-fields.ts';
import { assertPromptFits } from '../../prompts/compatibility.ts';
import type { Answer, Backend, Call } from '../backend.ts';
import { encodeMessages, encodePrompt } from '../encode-prompt.ts';
import { chatParts, completionTextParts } from './answer-parts.ts';
import {
  checkMaxTokens,
  type GenerationPlan,
  generationRequests,
  type SamplingDefaults,
} from './generation-requests.ts';
import { createIgnoredFields } from './ignored-fields.ts';
import { afterFirst, type Merged, mergeInOrder } from './merge.ts';
import type { EmbeddedModel } from './model.ts';
import { ignoredFields, refuseUnsupportedChat, refuseUnsupportedCompletion } from './unsupported.ts';

/** OpenAI's default for completions; chat answers end by themselves. */
const DEFAULT_COMPLETION_TOKENS = 16;
const NONE: ReadonlySet<string> = new Set();
/** Seconds after which a client may ask again whether the model is loaded. */
const LOADING_RETRY_SECONDS = 2;

export interface EmbeddedBackendOptions {
  /** Loads the model; begun by the first `ready()`. The signal fires when the backend is closed before that is done. */
  load(signal: AbortSignal): Promise<EmbeddedModel>;
  /** What requests get that name no temperature or top_p. */
  sampling: SamplingDefaults;
  /** Called once for each name of a request field that has no effect here. */
  onIgnoredField(name: string): void;
}

/** Answers from a model in this process. Requests that come before it is loaded are refused with `not_ready`. */
export function createEmbeddedBackend(options: EmbeddedBackendOptions): Backend {
  const closing = new AbortController();
  const ignored = createIgnoredFields(options.onIgnoredField);
  let loading: Promise<EmbeddedModel> | null = null;
  let model: EmbeddedModel | null = null;

  function loadedModel(): EmbeddedModel {
    if (model !== null) return model;
    throw new PreambleError('not_ready', 'The model is still loading.', {
      action: 'Try again in a moment.',
      retryAfterSeconds: LOADING_RETRY_SECONDS,
    });
  }

  return {
    kind: 'embedded',
    async chatCompletion(call): Promise<Answer<ChatCompletion, ChatCompletionChunk>> {
      const request = parseChatCompletionRequest(call.request);
      const { plan } = call;
      const loadedNow = loadedModel();
      const { engine, tokenizer } = loadedNow;
      refuseUnsupportedChat(request);
      ignored(ignoredFields(request, 'chat'));
      const limit = request.max_completion_tokens ?? request.max_tokens;
      const limitName = request.max_completion_tokens === undefined ? 'max_tokens' : 'max_completion_tokens';
      checkMaxTokens(limitName, limit, engine.contextLength);
      checkChoices('n', request.n ?? 1, engine.capacity);
      const identity = newAnswerIdentity('chatcmpl', request.model);
      const events = run(
        loadedNow,
        { request, signal: call.signal },
        {
          id: identity.id,
          prompts: [encodeMessages(encoding(loadedNow), request.messages, plan)],
          maxTokens: limit ?? engine.contextLength,
          topLogprobs: request.logprobs === true ? (request.top_logprobs ?? 0) : null,
          defaults: options.sampling,
        },
      );
      const chunks = chatChunks(identity, request.stream_options?.include_usage === true);
      const logprobs = request.logprobs === true;
      const parts = chatParts(events, chunks, { tokenizer, logprobs, choicesPerPrompt: request.n ?? 1 });
      if (request.stream === true) return { kind: 'stream', parts: await afterFirst(parts) };
      return { kind: 'whole', body: await collectChatCompletion(parts) };
    },

    async completion(call): Promise<Answer<Completion, Completion>> {
      const request = parseCompletionRequest(call.request);
      const { plan } = call;
      const loadedNow = loadedModel();
      const { engine, tokenizer } = loadedNow;
      refuseUnsupportedCompletion(request);
      ignored(ignoredFields(request, 'completion'));
      checkMaxTokens('max_tokens', request.max_tokens, engine.contextLength);
      const prompts = listPrompts(request.prompt);
      checkChoices(prompts.length > 1 ? 'prompt' : 'n', prompts.length * (request.n ?? 1), engine.capacity);
      const identity = newAnswerIdentity('cmpl', request.model);
      const events = run(
        loadedNow,
        { request, signal: call.signal },
        {
          id: identity.id,
          prompts: prompts.map((prompt) => encodePrompt(encoding(loadedNow), prompt, plan)),
          maxTokens: request.max_tokens ?? DEFAULT_COMPLETION_TOKENS,
          topLogprobs: request.logprobs ?? null,
          defaults: options.sampling,
        },
      );
      const made = completionParts(identity, request.stream_options?.include_usage === true);
      const logprobs = request.logprobs !== undefined;
      const parts = completionTextParts(events, made, { tokenizer, logprobs, choicesPerPrompt: request.n ?? 1 });
      if (request.stream === true) return { kind: 'stream', parts: await afterFirst(parts) };
      return { kind: 'whole', body: await collectCompletion(parts) };
    },

    async ready() {
      loading ??= options.load(closing.signal);
      model = await loading;
    },

    checkPrompt: async ({ manifest }) => assertPromptFits(manifest, loadedModel().identity),
    servers: () => [],
    queue: () => model?.engine.stats() ?? null,
    adapters: () => NONE,
    problem: () => null,

    async close() {
      closing.abort(new PreambleError('shutting_down', 'The gateway is shutting down.'));
      // A load that failed was told to whoever waited for `ready()`.
      const loaded = await loading?.catch(() => null);
      await loaded?.engine.close();
    },
  };
}

const encoding = ({ tokenizer, template, engine }: EmbeddedModel) => ({
  tokenizer,
  template,
  contextLength: engine.contextLength,
});

/** All choices at once. When one fails, or the answer is given up, the others end with it. */
async function* run(
  { engine }: EmbeddedModel,
  call: Pick<Call<ChatCompletionRequest | CompletionRequest>, 'request' | 'signal'>,
  plan: GenerationPlan,
): AsyncGenerator<Merged<GenerationEvent>> {
  const giveUp = new AbortController();
  const signal = AbortSignal.any([call.signal, giveUp.signal]);
  try {
    yield* mergeInOrder(generationRequests(call.request, plan).map((request) => engine.generate(request, signal)));
  } finally {
    giveUp.abort();
  }
}

/** Choices take their places in the queue together: more than it holds would be turned away at every try. */
function checkChoices(param: string, choices: number, capacity: number): void {
  const most = Math.min(MAX_CHOICES, capacity);
  if (choices <= most) return;
  throw new PreambleError('invalid_request', `The request asks for ${choices} choices, the most is ${most}.`, {
    param,
    action: 'Ask for fewer at a time.',
  });
}
