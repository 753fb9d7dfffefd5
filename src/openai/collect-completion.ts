import { PreambleError } from '../errors.ts';
import type { Completion, CompletionChoice, CompletionLogprobs } from './completions.ts';

/** Puts a stream's parts together to the answer that the same request would have had without `stream`. Throws `internal` if it is empty. */
export async function collectCompletion(parts: AsyncIterable<Completion>): Promise<Completion> {
  const choices = new Map<number, CompletionChoice>();
  let whole: Completion | null = null;
  for await (const part of parts) {
    const { id, created, model } = part;
    whole ??= { id, object: 'text_completion', created, model, choices: [] };
    if (part.usage) whole.usage = part.usage;
    if (part.system_fingerprint !== undefined) whole.system_fingerprint = part.system_fingerprint;
    for (const choice of part.choices) addPart(choices, choice);
  }
  if (whole === null) throw new PreambleError('internal', 'The backend ended its stream without an answer.');
  whole.choices = [...choices.values()].sort((a, b) => a.index - b.index);
  return whole;
}

function addPart(choices: Map<number, CompletionChoice>, part: CompletionChoice): void {
  const choice = choices.get(part.index) ?? { index: part.index, text: '', logprobs: null, finish_reason: null };
  choices.set(part.index, choice);
  choice.text += part.text;
  choice.logprobs = joinLogprobs(choice.logprobs, part.logprobs ?? null);
  choice.finish_reason = part.finish_reason ?? choice.finish_reason;
}

/** Appends to `before`, which no one else holds: a copy each time would make long answers quadratic. */
function joinLogprobs(before: CompletionLogprobs | null, more: CompletionLogprobs | null): CompletionLogprobs | null {
  if (more === null) return before;
  const joined = before ?? {
    tokens: [],
    token_logprobs: [],
    top_logprobs: more.top_logprobs === null ? null : [],
    text_offset: [],
  };
  joined.tokens.push(...more.tokens);
  joined.token_logprobs.push(...more.token_logprobs);
  joined.top_logprobs?.push(...(more.top_logprobs ?? []));
  joined.text_offset.push(...more.text_offset);
  return joined;
}
