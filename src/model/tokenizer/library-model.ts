import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import { PreambleError } from '../../errors.ts';
import { byteLetters } from './token-bytes.ts';
import type { TokenizerJson } from './tokenizer-file.ts';

/** The library's parts, without its own search for added tokens. */
export interface LibraryModel {
  normalize(text: string): string;
  /**
   * Appends the ids of a stretch without added tokens. `first`: it begins where the text begins. Stops early, with more
   * than `maxTokens` ids in `ids`, once there are that many.
   */
  encode(normalized: string, first: boolean, ids: number[], maxTokens: number): void;
}

/** What is used of the library, whose own type declarations don't resolve under Node's module rules. */
interface LibraryParts {
  readonly normalizer: ((text: string) => string) | null;
  readonly pre_tokenizer: ((text: string, options: { section_index: number }) => string[]) | null;
  readonly model: LibraryBpe | null;
}

interface LibraryBpe {
  (words: readonly string[]): string[];
  readonly tokens_to_ids: ReadonlyMap<string, number>;
  readonly unk_token_id: number | undefined;
}

/**
 * Words are the pre-tokenizer's. A longer one is encoded in pieces: 16,384 letters without a break are no language, and
 * the merges take 2 to 4 microseconds a character there, so that a limit on tokens must be able to stop between pieces.
 */
const MAX_WORD_LENGTH = 16_384;
/** Words encoded between two looks at the limit. */
const WORD_BATCH = 512;

type Component = NonNullable<TokenizerJson['pre_tokenizer']>;

/** GPT-2's pattern, which the ByteLevel pre-tokenizer applies itself unless `use_regex` is false. */
const GPT2_PATTERN = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/**
 * `reserved` are texts that must never come out of the merges: their entries are taken out of the vocabulary, so that
 * `ignore_merges` or a merge can't spell a control token from ordinary text. Throws `model_unsupported`.
 */
export function createLibraryModel(json: TokenizerJson, reserved: ReadonlySet<string>, path: string): LibraryModel {
  const library = build(json, reserved, path);
  const { normalizer, pre_tokenizer: preTokenizer, model } = library;
  if (model === null) throw unsupported(path, 'it has no model');
  const dropUnknown = unknownLetterFilter(json);
  return {
    normalize: (text) => (normalizer === null ? text : normalizer(text)),
    encode(normalized, first, ids, maxTokens) {
      if (normalized === '') return;
      const words = preTokenizer === null ? [normalized] : preTokenizer(normalized, { section_index: first ? 0 : 1 });
      for (const batch of batches(words)) {
        for (const token of model(batch.map(dropUnknown))) {
          const id = model.tokens_to_ids.get(token) ?? model.unk_token_id;
          if (id !== undefined) ids.push(id);
        }
        if (ids.length > maxTokens) return;
      }
    },
  };
}

function* batches(words: readonly string[]): Generator<string[]> {
  let batch: string[] = [];
  for (const word of words) {
    let start = 0;
    while (word.length - start > MAX_WORD_LENGTH) {
      const end = cutPoint(word, start + MAX_WORD_LENGTH);
      yield [...batch, word.slice(start, end)];
      batch = [];
      start = end;
    }
    batch.push(start === 0 ? word : word.slice(start));
    if (batch.length === WORD_BATCH) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

/**
 * SentencePiece models have no pre-tokenizer, a text is one word; its tokens hold `▁` at their head only, so that a cut
 * in front of a run of them changes nothing. Elsewhere the cut only keeps surrogate pairs whole.
 */
function cutPoint(word: string, latest: number): number {
  for (let at = latest; at > latest - MAX_WORD_LENGTH / 2; at--) {
    if (word[at] === '▁' && word[at - 1] !== '▁') return at;
  }
  const low = word.charCodeAt(latest);
  return low >= 0xdc00 && low <= 0xdfff ? latest - 1 : latest;
}

/**
 * A vocabulary may lack some of the 256 byte letters and have no unknown token (SmolLM2's does). The Rust library drops
 * such letters before it merges, so that their neighbours may merge; the JavaScript one drops them afterwards.
 */
function unknownLetterFilter(json: TokenizerJson): (word: string) => string {
  const { vocab, unk_token: unknown } = json.model;
  const lacking = byteLetters.filter((letter) => !Object.hasOwn(vocab, letter));
  const byteLevel = JSON.stringify(json.pre_tokenizer ?? null).includes('"ByteLevel"');
  if (!byteLevel || lacking.length === 0 || typeof unknown === 'string') return (word) => word;
  const pattern = new RegExp(
    lacking.map((letter) => `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`).join('|'),
    'gu',
  );
  return (word) => word.replace(pattern, '');
}

function build(json: TokenizerJson, reserved: ReadonlySet<string>, path: string): LibraryParts {
  const { vocab, merges, unk_token: unknown } = json.model;
  const drop = (token: string) => reserved.has(token) && token !== unknown;
  const entries = Object.entries(vocab).filter(([token]) => !drop(token));
  const model = {
    ...json.model,
    type: 'BPE',
    vocab: Object.fromEntries(entries),
    merges: merges.map(asPair).filter(([left, right]) => !drop(left + right)),
  };
  try {
    return new LibraryTokenizer(
      {
        ...json,
        model,
        added_tokens: [],
        normalizer: json.normalizer ?? null,
        pre_tokenizer: asTheLibraryNeedsIt(json.pre_tokenizer ?? null),
        post_processor: null,
        decoder: null,
      },
      {},
    );
  } catch (error) {
    throw unsupported(path, error instanceof Error ? error.message : String(error), error);
  }
}

/**
 * The JavaScript library departs from the Rust one in two pre-tokenizers: `Digits` knows ASCII digits only, and
 * `ByteLevel` splits with JavaScript's `\s` (with U+FEFF, without U+0085). `Split` is exact, so both become one.
 */
function asTheLibraryNeedsIt(component: Component | null): Component | null {
  if (component === null) return null;
  if (component.type === 'Sequence' && 'pretokenizers' in component && Array.isArray(component.pretokenizers)) {
    return sequence(component.pretokenizers.map((part: Component) => asTheLibraryNeedsIt(part)));
  }
  if (component.type === 'Digits') {
    const individual = 'individual_digits' in component && component.individual_digits === true;
    return isolate(individual ? '\\p{N}' : '\\p{N}+');
  }
  if (component.type === 'ByteLevel') {
    const ownPattern = !('use_regex' in component && component.use_regex === false);
    const prefix = 'add_prefix_space' in component && component.add_prefix_space === true;
    if (ownPattern && !prefix) return sequence([isolate(GPT2_PATTERN), withFields(component, { use_regex: false })]);
  }
  return component;
}

function asPair(merge: string | [string, string]): [string, string] {
  if (typeof merge !== 'string') return merge;
  const space = merge.indexOf(' ');
  return [merge.slice(0, space), merge.slice(space + 1)];
}

function isolate(pattern: string): Component {
  return withFields({ type: 'Split' }, { pattern: { Regex: pattern }, behavior: 'Isolated', invert: false });
}

function sequence(pretokenizers: readonly (Component | null)[]): Component {
  return withFields({ type: 'Sequence' }, { pretokenizers });
}

function withFields(component: Component, fields: Record<string, unknown>): Component {
  return { ...component, ...fields };
}

function unsupported(path: string, what: string, cause?: unknown): PreambleError {
  return new PreambleError('model_unsupported', `Cannot use ${path}: ${what}.`, {
    action: 'Choose a Llama, Mistral or Qwen model.',
    cause,
  });
}
