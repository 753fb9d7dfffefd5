import type { VllmSettings } from '../../config/schema/backend.ts';
import { assertPromptFits } from '../../prompts/compatibility.ts';
import type { Wire } from '../upstream/dialect.ts';
import type { LocalModel } from '../upstream/local-model.ts';
import { chatFromCompletion } from './chat-from-completion.ts';
import { checkPromptOn } from './check-prompt.ts';
import { chatWireBody, completionsWireBody, rawCompletionBody } from './requests.ts';

/** The soft prompt's rows as embeddings: a content part of a chat request, or a completion of nothing but embeddings. */
export function createEmbeddingsWire(
  kind: Exclude<VllmSettings['wire'], 'virtual-tokens'>,
  local: LocalModel | null,
): Wire {
  return {
    local,
    guard: null,
    handedOnGuard: null,
    chat(clean, plan, target) {
      if (kind === 'chat') {
        return {
          path: '/v1/chat/completions',
          body: chatWireBody(clean, plan, { ...target, local }),
          read: (answer) => answer,
        };
      }
      const { request } = clean;
      return {
        path: '/v1/completions',
        body: completionsWireBody(clean, plan, { ...target, local }),
        read: (answer) =>
          chatFromCompletion(answer, {
            model: plan.model,
            includeUsage: request.stream_options?.include_usage === true,
            logprobs: Reflect.get(request, 'logprobs') === true,
          }),
      };
    },
    completion: (clean, plan, target) => ({
      path: '/v1/completions',
      body: rawCompletionBody(clean, plan, { ...target, local }),
    }),
    assertFits: ({ manifest }) => (local === null ? 'sameEmbeddings' : assertPromptFits(manifest, local.identity)),
    check: (context, prompt) => checkPromptOn(context, kind, local, prompt),
  };
}
