import type { PromptSegment } from '../../engine/generation.ts';
import { PreambleError } from '../../errors.ts';
import type { ChatTemplate } from '../../model/chat/chat-template.ts';
import { encodeChat } from '../../model/chat/encode-chat.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import type { PromptPosition, SoftPrompt } from '../../prompts/soft-prompt.ts';

/** Queries as the model reads them under a soft prompt, cut where they begin to differ. */
export interface ChatLayout {
  /** What the template puts before the soft prompt. */
  readonly head: readonly number[];
  /** What stands between the soft prompt and the first token in which two queries differ. */
  readonly between: readonly number[];
  /** The rest of each query, generation prompt included. */
  readonly rows: readonly (readonly number[])[];
}

/** Stands for the prompt in the template: where it goes matters here, not what it holds. */
const PLACE: SoftPrompt = { label: 'place@0.0.0', digest: '', tokens: 1, hiddenSize: 1, values: new Float32Array(1) };

/**
 * Where the soft prompt and each query stand. Attention is causal, so what comes before the queries is the same for all of them: it is
 * computed once a batch. Throws `model_unsupported` for a template that puts something of a query in front of the prompt.
 */
export function layOutQueries(
  tokenizer: Tokenizer,
  template: ChatTemplate,
  queries: readonly string[],
  position: PromptPosition,
): ChatLayout {
  const encoded = queries.map((content) => {
    const options = { softPrompt: PLACE, position, addGenerationPrompt: true };
    return cutAtPrompt(encodeChat(tokenizer, template, [{ role: 'user', content }], options));
  });
  const [first] = encoded;
  if (first === undefined) throw new TypeError('there are no queries to lay out');
  if (encoded.some(({ head }) => head.join() !== first.head.join())) {
    throw new PreambleError('model_unsupported', 'The chat template puts something of the query before the prompt.', {
      action: 'Train a prompt for the other position, or correct the template.',
    });
  }
  const shared = sharedLength(encoded.map(({ tail }) => tail));
  return {
    head: first.head,
    between: first.tail.slice(0, shared),
    rows: encoded.map(({ tail }) => tail.slice(shared)),
  };
}

/** Queries under no prompt at all, as `layOutQueries` cuts them: the system message is what the template puts there by itself. */
export function layOutUnprompted(
  tokenizer: Tokenizer,
  template: ChatTemplate,
  queries: readonly string[],
  system: string | null = null,
): readonly (readonly number[])[] {
  return queries.map((content) => {
    const messages = [...(system === null ? [] : [{ role: 'system', content: system }]), { role: 'user', content }];
    const options = { softPrompt: null, position: 'system', addGenerationPrompt: true } as const;
    return encodeChat(tokenizer, template, messages, options).flatMap(tokensOf);
  });
}

function cutAtPrompt(segments: readonly PromptSegment[]): { head: number[]; tail: number[] } {
  const at = segments.findIndex((segment) => 'softPrompt' in segment);
  return { head: segments.slice(0, at).flatMap(tokensOf), tail: segments.slice(at + 1).flatMap(tokensOf) };
}

function tokensOf(segment: PromptSegment): readonly number[] {
  return 'tokens' in segment ? segment.tokens : [];
}

/** Tokens at the start that all have in common; at least one stays to each, since a row must not be empty. */
function sharedLength(rows: readonly (readonly number[])[]): number {
  const [first = []] = rows;
  const longest = Math.min(...rows.map((row) => row.length)) - 1;
  for (let index = 0; index < longest; index++) {
    if (rows.some((row) => row[index] !== first[index])) return index;
  }
  return longest;
}
