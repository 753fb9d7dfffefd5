import { encodeChat } from '../../model/chat/encode-chat.ts';
import { chatCompletionFields } from '../../openai/chat.ts';
import { collectChatCompletion } from '../../openai/collect-chat.ts';
import { collectCompletion } from '../../openai/collect-completion.ts';
import { completionFields } from '../../openai/completions.ts';
import type { Backend } from '../backend.ts';
import { answerChat } from './chat.ts';
import { primed } from './choices.ts';
import { answerCompletion } from './completion.ts';
import type { EmbeddedModel } from './model.ts';
import { assertChatSupported, assertCompletionSupported } from './supported.ts';

export interface EmbeddedBackendOptions {
  model: EmbeddedModel;
  /** Told once of each field that clients send and nothing here reads. */
  onIgnoredField(field: string): void;
}

/** Answers from the engine in this process. */
export function createEmbeddedBackend({ model, onIgnoredField }: EmbeddedBackendOptions): Backend {
  const reported = new Set<string>();

  function reportIgnored(request: object, known: ReadonlySet<string>): void {
    for (const field of Object.keys(request)) {
      // A client makes up names as it likes: what is remembered of them is bounded.
      if (known.has(field) || reported.has(field) || reported.size >= MAX_REPORTED_FIELDS) continue;
      reported.add(field);
      onIgnoredField(field);
    }
  }

  return {
    kind: 'embedded',
    async chatCompletion(call) {
      const { request, plan } = call;
      assertChatSupported(request);
      reportIgnored(request, chatCompletionFields);
      const prompt = encodeChat(model.tokenizer, model.template, request.messages, {
        softPrompt: plan.prompt?.softPrompt ?? null,
        position: plan.prompt?.position ?? 'system',
        addGenerationPrompt: true,
        maxTokens: model.engine.contextLength,
      });
      if (request.stream !== true) {
        return { kind: 'whole', body: await collectChatCompletion(answerChat(model, call, prompt, true)) };
      }
      const includeUsage = request.stream_options?.include_usage === true;
      return { kind: 'stream', parts: await primed(answerChat(model, call, prompt, includeUsage)) };
    },
    async completion(call) {
      const { request } = call;
      assertCompletionSupported(request);
      reportIgnored(request, completionFields);
      if (request.stream !== true) {
        return { kind: 'whole', body: await collectCompletion(answerCompletion(model, call, true)) };
      }
      const includeUsage = request.stream_options?.include_usage === true;
      return { kind: 'stream', parts: await primed(answerCompletion(model, call, includeUsage)) };
    },
    ready: () => Promise.resolve(),
    close: () => model.engine.close(),
  };
}

const MAX_REPORTED_FIELDS = 1000;
