import type { PromptSegment } from '../../engine/generation.ts';
import type { ChatTemplate } from '../../model/chat/chat-template.ts';
import { encodeChat } from '../../model/chat/encode-chat.ts';
import type { EmbeddingTable } from '../../model/embedding-table.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import type { PromptPosition, SoftPrompt } from '../../prompts/soft-prompt.ts';
import type { StateInput } from './states.ts';

export interface MeasuringModel {
  readonly tokenizer: Tokenizer;
  /** Null for a base model: the query itself is the text. */
  readonly template: ChatTemplate | null;
  readonly embeddings: EmbeddingTable;
}

/** The queries as a model reads them under a prompt, cut where they stop being alike. */
export function conversations(
  { tokenizer, template, embeddings }: MeasuringModel,
  queries: readonly string[],
  softPrompt: SoftPrompt | null,
  position: PromptPosition,
): StateInput {
  const encoded = queries.map((content) =>
    template === null
      ? plain(tokenizer, content, softPrompt)
      : encodeChat(tokenizer, template, [{ role: 'user', content }], {
          softPrompt,
          position,
          addGenerationPrompt: true,
        }),
  );
  const sequences = encoded.map(flatten);
  const shared = Math.max(1, sharedLength(sequences));
  const { hiddenSize } = embeddings;
  const rowsOf = (items: readonly number[]) => {
    const rows = new Float32Array(items.length * hiddenSize);
    for (const [at, item] of items.entries()) {
      if (item >= 0) embeddings.read([item], rows, at);
      else rows.set(softPrompt?.values.subarray(-(item + 1) * hiddenSize, -item * hiddenSize) ?? [], at * hiddenSize);
    }
    return rows;
  };
  return {
    prefix: rowsOf(sequences[0]?.slice(0, shared) ?? []),
    rows: sequences.map((items) => rowsOf(items.slice(shared))).filter(({ length }) => length > 0),
  };
}

function plain(tokenizer: Tokenizer, text: string, softPrompt: SoftPrompt | null): PromptSegment[] {
  const head = tokenizer.encode('', { addSpecialTokens: true });
  const tokens = tokenizer.encodeSection(text, true, Number.POSITIVE_INFINITY);
  return [{ tokens: head }, ...(softPrompt === null ? [] : [{ softPrompt }]), { tokens }];
}

/** Token ids, and -1, -2, … for the rows of the soft prompt. */
function flatten(segments: readonly PromptSegment[]): number[] {
  return segments.flatMap((segment) =>
    'tokens' in segment ? segment.tokens : Array.from({ length: segment.softPrompt.tokens }, (_, row) => -1 - row),
  );
}

/** Leaves at least one position of each for itself. */
function sharedLength([first = [], ...others]: readonly (readonly number[])[]): number {
  let length = first.length - 1;
  for (const other of others) {
    let same = 0;
    while (same < Math.min(length, other.length - 1) && other[same] === first[same]) same++;
    length = same;
  }
  return length;
}
