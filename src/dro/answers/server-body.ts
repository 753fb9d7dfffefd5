import { chatBody } from '../../backends/vllm/chat-body.ts';
import { promptPart } from '../../backends/vllm/prompt-part.ts';
import type { SoftPrompt, StoredSoftPrompt } from '../../prompts/soft-prompt.ts';
import type { AnswerRequest, AnswerSampling } from './answer-source.ts';
import { queryMessages } from './encode-query.ts';

export interface BodyOptions {
  /** The server's name for it. */
  readonly model: string;
  readonly systemRole: boolean;
}

/** A query as OpenAI's chat request; pieces to be sent one after the other. A soft prompt's rows are not copied. */
export function answerBody(
  { query, prompt, sampling, maxTokens }: AnswerRequest,
  { model, systemRole }: BodyOptions,
): Uint8Array[] {
  const request = {
    model,
    messages: queryMessages(query, prompt, systemRole),
    max_tokens: maxTokens,
    stream: true,
    stream_options: { include_usage: true },
    ...samplingFields(sampling),
  };
  const bytes = Buffer.from(JSON.stringify(request));
  if (prompt.kind !== 'soft') return [bytes];
  return chatBody(bytes, request, {
    model,
    front: promptPart(stored(prompt.prompt)),
    place: systemRole ? prompt.position : 'user',
  });
}

/** `top_k` is not OpenAI's: it is named only where it was asked for. */
function samplingFields(sampling: AnswerSampling): Record<string, number> {
  if (!('seed' in sampling)) return { temperature: 0 };
  const { temperature, topP, topK, seed } = sampling;
  return { temperature, top_p: topP, seed, ...(topK === undefined ? {} : { top_k: topK }) };
}

const kept = new WeakMap<SoftPrompt, StoredSoftPrompt>();

/** A prompt that is being trained has no stored rows yet: its float32 values are them. */
function stored(prompt: SoftPrompt): StoredSoftPrompt {
  if (isStored(prompt)) return prompt;
  const { buffer, byteOffset, byteLength } = prompt.values;
  const made = kept.get(prompt) ?? {
    ...prompt,
    stored: { dtype: 'F32', bytes: new Uint8Array(buffer, byteOffset, byteLength) },
  };
  kept.set(prompt, made);
  return made;
}

function isStored(prompt: SoftPrompt): prompt is StoredSoftPrompt {
  return 'stored' in prompt;
}
