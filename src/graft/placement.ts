import { PreambleError } from '../errors.ts';
import type { TokenizerJson } from '../model/tokenizer/tokenizer-file.ts';

/** Where virtual tokens go in a vocabulary. */
export interface Placement {
  /** Ids of the virtual tokens, in the order of the prompts' rows; each is its row of the embedding matrix. */
  readonly ids: readonly number[];
  /** Rows of the matrix afterwards. */
  readonly vocabSize: number;
  /** Ids of reserved tokens that become virtual ones, with their old spelling. */
  readonly renamed: ReadonlyMap<number, string>;
  /** Ids that no tokenizer entry had before. */
  readonly added: readonly number[];
}

/** 8-way tensor parallelism divides it, and vLLM rounds a vocabulary up to this itself. */
const ROWS_MULTIPLE = 64;
/** Above any vocabulary in use (Gemma's 262,144), below what a record takes. */
const MAX_VOCABULARY = 2 ** 22;

/** Tokens that their model's makers keep for others: Llama 3, Gemma, BERT's heirs, Qwen 1, Mistral's Tekken. */
const RESERVED = /^(?:<\|reserved_special_token_\d+\|>|<unused\d+>|\[unused\d+\]|<\|extra_\d+\|>|<SPECIAL_\d+>)$/;

/**
 * Rows without a token come first, as nobody loses a name there; then reserved tokens, where there are enough of both; else the matrix grows.
 * `isUsed` says whether something else of the model relies on a token's spelling. Throws `model_unsupported` where the tokenizer has no room.
 */
export function placeVirtualTokens(
  count: number,
  vocabSize: number,
  tokenizer: TokenizerJson,
  isUsed: (text: string, id: number) => boolean,
): Placement {
  const next = nextTokenId(tokenizer);
  const padding = Array.from({ length: Math.max(0, vocabSize - next) }, (_, index) => next + index);
  const reserved = (tokenizer.added_tokens ?? []).filter(
    ({ id, content }) => id < vocabSize && RESERVED.test(content) && !isUsed(content, id),
  );
  if (padding.length + reserved.length >= count) {
    const added = padding.slice(0, count);
    const taken = reserved.slice(0, count - added.length);
    return {
      ids: [...taken.map(({ id }) => id), ...added],
      vocabSize,
      renamed: new Map(taken.map(({ id, content }) => [id, content])),
      added,
    };
  }
  const ids = Array.from({ length: count }, (_, index) => next + index);
  const grown = Math.ceil(Math.max(vocabSize, next + count) / ROWS_MULTIPLE) * ROWS_MULTIPLE;
  if (grown > MAX_VOCABULARY) {
    throw noRoom(`${count} virtual tokens would make a vocabulary of ${grown}, the most is ${MAX_VOCABULARY}`);
  }
  return { ids, vocabSize: grown, renamed: new Map(), added: ids };
}

/**
 * The id that the `tokenizers` library gives the next added token, whatever a file claims. Where ids have gaps below it, an id of our choice would
 * not hold.
 */
function nextTokenId({ model, added_tokens: added = [] }: TokenizerJson): number {
  const ids = Object.values(model.vocab);
  const highestAdded = added.reduce((highest, { id }) => Math.max(highest, id), -1);
  const highest = ids.reduce((most, id) => Math.max(most, id), highestAdded);
  const next = highestAdded >= ids.length ? highestAdded + 1 : ids.length;
  if (next <= highest) throw noRoom(`its ids have gaps: ${ids.length} tokens and the highest id is ${highest}`);
  return next;
}

function noRoom(what: string): PreambleError {
  return new PreambleError('model_unsupported', `The tokenizer has no room for virtual tokens: ${what}.`, {
    action: 'Graft fewer or shorter prompts, or use the soft prompt as embeddings (vLLM).',
  });
}
