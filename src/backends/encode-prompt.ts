import type { PromptSegment } from '../engine/generation.ts';
import { countPositions } from '../engine/sequence.ts';
import { PreambleError } from '../errors.ts';
import type { ChatTemplate } from '../model/chat/chat-template.ts';
import { encodeChat, encodePlain } from '../model/chat/encode-chat.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import type { ChatMessage, ContentPart } from '../openai/chat.ts';
import type { Plan } from '../policy/plan.ts';

/** What turns a conversation into a model's input. */
export interface EncodingModel {
  readonly tokenizer: Tokenizer;
  /** Null for a base model, which can complete but not chat. */
  readonly template: ChatTemplate | null;
  /** Prompt and answer together, in tokens. */
  readonly contextLength: number;
}

/** A conversation as the model's input, with the plan's prompt where it belongs. Throws `invalid_request`, `context_length_exceeded`. */
export function encodeMessages(
  { template, tokenizer, contextLength }: EncodingModel,
  messages: readonly ChatMessage[],
  plan: Plan,
): PromptSegment[] {
  if (template === null) {
    throw new PreambleError(
      'invalid_request',
      `${plan.model} has no chat template: it completes text, and does not chat.`,
      {
        action: 'Use /v1/completions.',
        param: 'model',
      },
    );
  }
  const systemRole = template.traits(false).systemRole;
  const said = plan.fallbackText === null ? messages : withText(messages, plan.fallbackText, systemRole);
  return fitting(contextLength, 'messages', () =>
    encodeChat(tokenizer, template, said, {
      softPrompt: plan.prompt?.softPrompt ?? null,
      position: plan.prompt?.position ?? 'system',
      addGenerationPrompt: true,
      maxTokens: contextLength,
    }),
  );
}

/** Says of a prompt that is too long what OpenAI says, which applications and client libraries look for. At least one token must fit behind it. */
function fitting(contextLength: number, param: string, encode: () => PromptSegment[]): PromptSegment[] {
  let has = 'more';
  try {
    const segments = encode();
    const positions = countPositions(segments);
    if (positions < contextLength) return segments;
    has = String(positions);
  } catch (error) {
    if (!(error instanceof PreambleError && error.code === 'context_length_exceeded')) throw error;
  }
  throw new PreambleError(
    'context_length_exceeded',
    `This model's maximum context length is ${contextLength} tokens, and the prompt has ${has}.`,
    { action: param === 'messages' ? 'Shorten the messages.' : 'Shorten the prompt.', param },
  );
}

/** The text where the soft prompt would stand: in front of the leading system message, or of the first user message. */
function withText(messages: readonly ChatMessage[], text: string, systemRole: boolean): ChatMessage[] {
  const isPlace = ({ role }: ChatMessage) => (systemRole ? role === 'system' || role === 'developer' : role === 'user');
  const at = systemRole ? (messages[0] !== undefined && isPlace(messages[0]) ? 0 : -1) : messages.findIndex(isPlace);
  if (at < 0) return [{ role: systemRole ? 'system' : 'user', content: text }, ...messages];
  return messages.map((message, index) => (index === at ? { ...message, content: inFront(text, message) } : message));
}

function inFront(text: string, { content }: ChatMessage): ContentPart[] {
  const rest = typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? []);
  return [{ type: 'text', text }, ...rest];
}

/**
 * A raw prompt as the model's input. No template says where the soft prompt belongs, so it stands in front of everything but the token
 * that begins every text of the model (BOS), where it has one. Control tokens may be spelled out, as in OpenAI's and vLLM's completions:
 * whoever sends a raw prompt writes the template.
 */
export function encodePrompt(
  model: Omit<EncodingModel, 'template'>,
  prompt: string | readonly number[],
  plan: Plan,
): PromptSegment[] {
  return fitting(model.contextLength, 'prompt', () => encodeRaw(model, prompt, plan));
}

function encodeRaw(
  { tokenizer, contextLength: maxTokens }: Omit<EncodingModel, 'template'>,
  prompt: string | readonly number[],
  plan: Plan,
): PromptSegment[] {
  const ids =
    typeof prompt === 'string' ? encodePlain(tokenizer, prompt, { allowControlTokens: true, maxTokens }) : prompt;
  const unknown = ids.find((id) => id >= tokenizer.vocabSize);
  if (unknown !== undefined) {
    throw new PreambleError(
      'invalid_request',
      `'prompt' holds the token id ${unknown}, and the model has ${tokenizer.vocabSize}.`,
      {
        param: 'prompt',
      },
    );
  }
  const beginning = encodePlain(tokenizer, '', { allowControlTokens: false });
  const head = beginning.every((id, index) => ids[index] === id) ? beginning : [];
  const rest = ids.slice(head.length);
  if (plan.fallbackText !== null) {
    const text = tokenizer.encodeSection(`${plan.fallbackText}\n`, true, maxTokens);
    return [{ tokens: [...head, ...text, ...rest] }];
  }
  if (plan.prompt === null) return [{ tokens: ids }];
  const segments: PromptSegment[] = [{ tokens: head }, { softPrompt: plan.prompt.softPrompt }, { tokens: rest }];
  return segments.filter((segment) => 'softPrompt' in segment || segment.tokens.length > 0);
}
