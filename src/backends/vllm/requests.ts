import { countPositions } from '../../engine/sequence.ts';
import { PreambleError } from '../../errors.ts';
import type { ChatRequest } from '../../openai/chat.ts';
import type { TextRequest } from '../../openai/completions.ts';
import { listPrompts } from '../../openai/list-prompts.ts';
import type { Plan } from '../../policy/plan.ts';
import { type EncodingModel, encodeMessages, encodePrompt } from '../encode-prompt.ts';
import { chatBody } from '../upstream/chat-body.ts';
import type { CleanBody } from '../upstream/clean-body.ts';
import type { Target as AnyTarget } from '../upstream/dialect.ts';
import type { LocalModel } from '../upstream/local-model.ts';
import { chatAsCompletion, completionBody } from './completion-body.ts';
import { embedInput } from './embedded-input.ts';
import { partFront } from './part-front.ts';
import { promptPart, textPart } from './prompt-part.ts';

/** What requests are made for. */
interface Target extends AnyTarget {
  /** Null where the settings name no model directory. */
  readonly local: LocalModel | null;
}

/** Where nothing bounds an answer; vLLM cuts it at its own context. */
const UNBOUNDED = 2 ** 20;

/** A chat request on the chat wire: the soft prompt, or its text, is a content part in front. */
export function chatWireBody({ bytes, request }: CleanBody<ChatRequest>, plan: Plan, target: Target): Uint8Array[] {
  const { prompt, fallbackText } = plan;
  const part = prompt !== null ? promptPart(prompt.softPrompt) : fallbackText === null ? null : textPart(fallbackText);
  const front = part === null ? null : partFront(part);
  const place = target.local?.systemRole === false ? 'user' : (prompt?.position ?? 'system');
  return chatBody(bytes, request, { model: target.model, front, place });
}

/** A chat request on the completions wire: the whole templated conversation as embeddings. Throws `unsupported_parameter` for tools. */
export function completionsWireBody(
  { bytes, request }: CleanBody<ChatRequest>,
  plan: Plan,
  target: Target,
): Uint8Array[] {
  const fields: Readonly<Record<string, unknown>> = request;
  if (Array.isArray(fields['tools']) && fields['tools'].length > 0 && fields['tool_choice'] !== 'none') {
    throw new PreambleError('unsupported_parameter', 'Tools are not supported on this model.', {
      action: 'Leave them out.',
      param: 'tools',
    });
  }
  const local = needLocal(target);
  const segments = encodeMessages(encoding(local, target), request.messages, plan);
  const room = (target.contextLength ?? UNBOUNDED) - countPositions(segments);
  const asked = fields['max_completion_tokens'] ?? fields['max_tokens'];
  return chatAsCompletion(bytes, request, {
    model: target.model,
    input: embedInput(segments, local.embeddings),
    maxTokens: typeof asked === 'number' ? asked : Math.max(1, room),
    logprobs: fields['logprobs'] === true ? Number(fields['top_logprobs'] ?? 0) : null,
  });
}

/**
 * A raw completion. With a soft prompt, or its text, in front the whole input is sent as embeddings, for the server joins no prompt to
 * another. Throws `prompt_unavailable` where that needs files which the settings do not name.
 */
export function rawCompletionBody(
  { bytes, request }: CleanBody<TextRequest>,
  plan: Plan,
  target: Target,
): Uint8Array[] {
  const { model } = target;
  if (plan.prompt === null && plan.fallbackText === null)
    return completionBody(bytes, request, { model, inputs: null });
  const local = needLocal(target);
  const inputs = listPrompts(request.prompt).map((prompt) =>
    embedInput(encodePrompt(encoding(local, target), prompt, plan), local.embeddings),
  );
  return completionBody(bytes, request, { model, inputs });
}

function encoding({ tokenizer, template }: LocalModel, { contextLength }: Target): EncodingModel {
  return { tokenizer, template, contextLength: contextLength ?? UNBOUNDED };
}

function needLocal({ local }: Target): LocalModel {
  if (local !== null) return local;
  throw new PreambleError('prompt_unavailable', 'The safety prompt cannot be put in front of a raw completion here.', {
    action: 'Use /v1/chat/completions; the operator can name the modelDirectory of this backend.',
  });
}
