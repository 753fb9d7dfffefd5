import type { PromptSegment } from '../../engine/generation.ts';
import { countPositions } from '../../engine/sequence.ts';
import { PreambleError } from '../../errors.ts';
import type { ChatTemplate } from '../../model/chat/chat-template.ts';
import { encodeChat } from '../../model/chat/encode-chat.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import type { ChatMessage } from '../../openai/chat.ts';
import { quote } from '../../prompts/name.ts';
import type { PromptUnderTest } from './prompt-under-test.ts';

export interface QueryEncoding {
  readonly tokenizer: Tokenizer;
  readonly template: ChatTemplate;
  /** Prompt and answer together, in tokens. */
  readonly contextLength: number;
}

/** The conversation in which a query is asked; a soft prompt is put in when it is encoded. */
export function queryMessages(query: string, prompt: PromptUnderTest, systemRole: boolean): ChatMessage[] {
  if (prompt.kind !== 'text') return [{ role: 'user', content: query }];
  if (systemRole) {
    return [
      { role: 'system', content: prompt.text },
      { role: 'user', content: query },
    ];
  }
  const parts = [prompt.text, query].map((text) => ({ type: 'text', text }));
  return [{ role: 'user', content: parts }];
}

/**
 * A query under a prompt as the model's input, up to and with the generation prompt. Throws `context_length_exceeded`, which names the
 * query, and `model_unsupported` where the template loses the soft prompt.
 */
export function encodeQuery(
  { tokenizer, template, contextLength }: QueryEncoding,
  query: string,
  prompt: PromptUnderTest,
): PromptSegment[] {
  const segments = encodeChat(tokenizer, template, queryMessages(query, prompt, template.traits(false).systemRole), {
    softPrompt: prompt.kind === 'soft' ? prompt.prompt : null,
    position: prompt.kind === 'soft' ? prompt.position : 'system',
    addGenerationPrompt: true,
  });
  const tokens = countPositions(segments);
  if (tokens < contextLength) return segments;
  throw new PreambleError(
    'context_length_exceeded',
    `The query ${quote(query)} has ${tokens} tokens with its prompt, the model's context ${contextLength}.`,
    { action: 'Shorten it or take it out of the file.' },
  );
}
