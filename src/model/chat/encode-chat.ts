import type { PromptSegment } from '../../engine/generation.ts';
import { PreambleError } from '../../errors.ts';
import type { PromptPosition, SoftPrompt } from '../../prompts/soft-prompt.ts';
import { type Tokenizer, tooLong } from '../tokenizer/tokenizer.ts';
import type { ChatTemplate } from './chat-template.ts';
import { placeSentinel } from './place-sentinel.ts';
import { type ChatMessage, type PlainMessage, readMessage, type TemplateMessage } from './template-messages.ts';
import { createTextGuard, type TextGuard } from './text-guard.ts';

export interface EncodeChatOptions {
  /** Null for none. */
  softPrompt: SoftPrompt | null;
  position: PromptPosition;
  addGenerationPrompt: boolean;
  /** OpenAI's tool objects. */
  tools?: readonly unknown[] | null | undefined;
  /** More variables for the template, as vLLM's `chat_template_kwargs`. */
  variables?: Readonly<Record<string, unknown>> | undefined;
  /** A longer prompt is refused with `context_length_exceeded`, before it is encoded to its end. */
  maxTokens?: number | undefined;
}

/**
 * A conversation as the model's input. The soft prompt stands at the head of the system message (made if there is none),
 * or of the first user message for `position: 'user'` and for templates without a system role; the application's own text
 * follows after a line feed, as vLLM joins text parts. No text of the conversation becomes a control token.
 * Throws `invalid_request`, `context_length_exceeded`, and `model_unsupported` where the template loses the soft prompt.
 */
export function encodeChat(
  tokenizer: Tokenizer,
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  options: EncodeChatOptions,
): PromptSegment[] {
  const guard = guardOf(tokenizer);
  const rendered = renderChat(guard, template, messages, options);
  const maxTokens = options.maxTokens ?? Number.POSITIVE_INFINITY;
  if (tokenizer.surelyExceeds(rendered, maxTokens)) throw tooLong(maxTokens);
  const segments: PromptSegment[] = [];
  let tokens: number[] = [];
  let total = options.softPrompt?.tokens ?? 0;
  const flush = () => {
    if (tokens.length > 0) segments.push({ tokens });
    tokens = [];
  };
  for (const section of tokenizer.splitAtControlTokens(rendered, guard.sentinel)) {
    if (section.kind === 'marker' && options.softPrompt !== null) {
      flush();
      segments.push({ softPrompt: options.softPrompt });
    } else if (section.kind === 'token') {
      tokens.push(section.id);
      total++;
    } else if (section.kind === 'text') {
      const ids = tokenizer.encodeSection(guard.restore(section.text), section.first, maxTokens - total);
      total += ids.length;
      // not spread: a long text has more ids than a call may have arguments
      for (const id of ids) tokens.push(id);
    }
    if (total > maxTokens) throw tooLong(maxTokens);
  }
  flush();
  return segments;
}

/** A raw prompt of `/v1/completions`, with what the tokenizer puts around a text (a beginning-of-sequence token). */
export function encodePlain(
  tokenizer: Tokenizer,
  text: string,
  options: {
    /** Control tokens spelled in the prompt become those tokens, as in OpenAI's and vLLM's completions. */
    allowControlTokens: boolean;
    maxTokens?: number | undefined;
  },
): number[] {
  return tokenizer.encode(text, {
    addSpecialTokens: true,
    controlTokens: options.allowControlTokens,
    ...(options.maxTokens === undefined ? {} : { maxTokens: options.maxTokens }),
  });
}

function renderChat(
  guard: TextGuard,
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  options: EncodeChatOptions,
): string {
  const tools = options.tools?.length ? options.tools : null;
  const traits = template.traits(tools !== null);
  const plain = messages.map((message, index) =>
    protectMessage(guard, readMessage(message, index, template.readsReasoning)),
  );
  const placed = options.softPrompt === null ? plain : placeSentinel(plain, options.position, traits, guard.sentinel);
  const rendered = template.render({
    messages: placed.map((message) => toTemplateMessage(message, traits.contentFormat)),
    tools: tools?.map((tool) => guard.protectValue(tool)) ?? null,
    addGenerationPrompt: options.addGenerationPrompt,
    variables: Object.fromEntries(
      Object.entries(options.variables ?? {}).map(([name, value]) => [name, guard.protectValue(value)]),
    ),
  });
  const found = rendered.split(guard.sentinel).length - 1;
  if (options.softPrompt === null || found === 1) return rendered;
  throw new PreambleError(
    'model_unsupported',
    `The model's chat template shows the soft prompt ${found} times in this conversation.`,
    {
      action: 'Choose a prompt for the other position, or turn the prompt off for this model.',
    },
  );
}

function protectMessage(guard: TextGuard, message: PlainMessage): PlainMessage {
  return {
    ...message,
    texts: message.texts.map(guard.protect),
    ...(message.name === undefined ? {} : { name: guard.protect(message.name) }),
    ...(message.tool_call_id === undefined ? {} : { tool_call_id: guard.protect(message.tool_call_id) }),
    ...(message.tool_calls === undefined ? {} : { tool_calls: message.tool_calls.map(guard.protectValue) }),
    ...(message.reasoning_content === undefined ? {} : { reasoning_content: guard.protect(message.reasoning_content) }),
  };
}

function toTemplateMessage({ texts, ...rest }: PlainMessage, format: 'string' | 'list'): TemplateMessage {
  return { ...rest, content: format === 'string' ? texts.join('\n') : texts.map((text) => ({ type: 'text', text })) };
}

const guards = new WeakMap<Tokenizer, TextGuard>();

function guardOf(tokenizer: Tokenizer): TextGuard {
  const known = guards.get(tokenizer) ?? createTextGuard(tokenizer.controlTokens.values());
  guards.set(tokenizer, known);
  return known;
}
