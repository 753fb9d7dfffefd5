import { join } from 'node:path';
import { PreambleError } from '../../errors.ts';
import { type AddedToken, createSplitter, isControlToken, parseAddedToken, type Section } from './added-tokens.ts';
import { createIncrementalDecoder, type IncrementalDecoder } from './incremental-decoder.ts';
import { createLibraryModel } from './library-model.ts';
import { listVocabulary, readSpecialTokens, readSurrounding, type SpecialTokens } from './special-tokens.ts';
import { tokenSpelling } from './token-bytes.ts';
import { invalid, parseTokenizerConfig, parseTokenizerJson, readJsonFile } from './tokenizer-file.ts';
import { vocabularyDigest } from './vocabulary-digest.ts';

export interface EncodeOptions {
  /** Put around the text what the tokenizer's post-processor adds (a beginning-of-sequence token, mostly). Default false. */
  addSpecialTokens?: boolean;
  /** Control tokens spelled in the text become those tokens, as in transformers and vLLM. Default true. */
  controlTokens?: boolean;
  /** A text of more tokens is refused with `context_length_exceeded` before it is encoded to its end. */
  maxTokens?: number;
}

export interface DecodeOptions {
  /** Leaves out special tokens, as vLLM does in answers. Default false for a whole text, true for an answer. */
  skipSpecialTokens?: boolean;
}

export interface Tokenizer {
  /** SHA-256 of the id -> token listing; see `vocabulary-digest.ts` for its form. */
  readonly vocabularyDigest: string;
  /** One more than the highest id. */
  readonly vocabSize: number;
  readonly specialTokens: SpecialTokens;
  /** Added tokens that are special or look like markup: what user text must never become. By id. */
  readonly controlTokens: ReadonlyMap<number, string>;
  /** Lone surrogates become U+FFFD, as in any UTF-8 encoder. Throws `context_length_exceeded`. */
  encode(text: string, options?: EncodeOptions): number[];
  /** Whether a text must have more tokens than that, judged by its length alone: no token is longer than the longest. */
  surelyExceeds(text: string, maxTokens: number): boolean;
  /** Cuts a text at its control tokens and at `marker`, which stands for no token. */
  splitAtControlTokens(text: string, marker: string): ControlSection[];
  /**
   * Ids of a section's text, in which no control token is recognised. `first`: it begins the whole text. Stops early,
   * with more than `maxTokens` ids.
   */
  encodeSection(text: string, first: boolean, maxTokens: number): number[];
  decode(ids: readonly number[], options?: DecodeOptions): string;
  tokenId(token: string): number | undefined;
  /** The token as `tokenizer.json` spells it; undefined for an id that has none. */
  tokenSpelling(id: number): string | undefined;
  /** The token as text; a half character in it is U+FFFD. Empty for an id outside the vocabulary. */
  tokenText(id: number): string;
  tokenBytes(id: number): Uint8Array;
  createIncrementalDecoder(options?: DecodeOptions): IncrementalDecoder;
}

export type ControlSection =
  | { readonly kind: 'text'; readonly text: string; readonly first: boolean }
  | { readonly kind: 'token'; readonly id: number }
  | { readonly kind: 'marker' };

const noBytes = new Uint8Array(0);

/** Reads `tokenizer.json` and `tokenizer_config.json`. Throws `file_unreadable`, `format_invalid`, `model_unsupported`. */
export async function loadTokenizer(directory: string): Promise<Tokenizer> {
  const path = join(directory, 'tokenizer.json');
  const json = await readJsonFile(directory, 'tokenizer.json');
  if (json === undefined) throw invalid(path, 'the file is missing');
  return createTokenizer(json, (await readJsonFile(directory, 'tokenizer_config.json')) ?? {}, path);
}

/** From the parsed files; `path` is named in errors. Throws `format_invalid`, `model_unsupported`. */
export function createTokenizer(tokenizerJson: unknown, tokenizerConfig: unknown, path: string): Tokenizer {
  const json = parseTokenizerJson(tokenizerJson, path);
  const config = parseTokenizerConfig(tokenizerConfig, path);
  const added = (json.added_tokens ?? []).map(parseAddedToken);
  const control = added.filter(isControlToken);
  const ordinary = added.filter((token) => !isControlToken(token));
  const model = createLibraryModel(json, new Set(control.map((token) => token.content)), path);
  const spelling = tokenSpelling(json.decoder, path);

  const tokens = listVocabulary(json.model.vocab, added);
  const ids = new Map(Object.entries(json.model.vocab));
  for (const token of added) ids.set(token.content, token.id);
  const encoder = new TextEncoder();
  const rawBytes = new Map(added.map((token) => [token.id, encoder.encode(token.content)]));
  const special = new Set(added.filter((token) => token.special).map((token) => token.id));
  const surrounding = readSurrounding(json.post_processor, (token) => ids.get(token));

  // `tokenizers` looks for added tokens twice: in the text as it came, then, for `normalized` ones, in the normalized text
  const withControl = createPhases(added, model.normalize);
  const withoutControl = createPhases(ordinary, model.normalize);
  const controlSplitter = createSplitter(control);

  function encodeWith(phases: Phases, text: string, first: boolean, maxTokens: number): number[] {
    const encoded: number[] = [];
    for (const section of phases.raw(text)) {
      if (encoded.length > maxTokens) break;
      if ('token' in section) encoded.push(section.token.id);
      else encodeText(phases, section.text, first && section.offset === 0, encoded, maxTokens);
    }
    return encoded;
  }

  function encodeText(phases: Phases, text: string, first: boolean, encoded: number[], maxTokens: number): void {
    for (const part of phases.normalized(model.normalize(text))) {
      if ('token' in part) encoded.push(part.token.id);
      else model.encode(part.text, first && part.offset === 0, encoded, maxTokens);
    }
  }

  function tokenBytes(id: number): Uint8Array {
    const raw = rawBytes.get(id);
    if (raw !== undefined) return raw;
    const token = tokens.get(id);
    return token === undefined ? noBytes : spelling.bytes(token);
  }

  // a token has at least as many bytes as UTF-16 units
  const longestToken = [...tokens.keys()].reduce((longest, id) => Math.max(longest, tokenBytes(id).length), 1);
  const surelyExceeds = (text: string, maxTokens: number) => text.length > maxTokens * longestToken;
  const shownBytes = (id: number, skip: boolean) => (skip && special.has(id) ? noBytes : tokenBytes(id));

  return {
    vocabularyDigest: vocabularyDigest(tokens),
    vocabSize: [...tokens.keys()].reduce((highest, id) => Math.max(highest, id), -1) + 1,
    specialTokens: readSpecialTokens(config),
    controlTokens: new Map(control.map((token) => [token.id, token.content])),
    encode(text, options = {}) {
      const phases = options.controlTokens === false ? withoutControl : withControl;
      const maxTokens = options.maxTokens ?? Number.POSITIVE_INFINITY;
      if (surelyExceeds(text, maxTokens)) throw tooLong(maxTokens);
      const encoded = encodeWith(phases, text.toWellFormed(), true, maxTokens);
      if (encoded.length > maxTokens) throw tooLong(maxTokens);
      return options.addSpecialTokens === true ? [...surrounding.before, ...encoded, ...surrounding.after] : encoded;
    },
    surelyExceeds,
    splitAtControlTokens(text, marker) {
      return splitAtMarker(text.toWellFormed(), marker, controlSplitter);
    },
    encodeSection: (text, first, maxTokens) => encodeWith(withoutControl, text, first, maxTokens),
    decode(list, options = {}) {
      const bytes = Buffer.concat(list.map((id) => shownBytes(id, options.skipSpecialTokens === true)));
      const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
      const spaces = /^ */.exec(text)?.[0].length ?? 0;
      return text.slice(Math.min(spaces, spelling.stripLeadingSpaces));
    },
    tokenId: (token) => ids.get(token),
    tokenSpelling: (id) => tokens.get(id),
    tokenText: (id) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(tokenBytes(id)),
    tokenBytes,
    createIncrementalDecoder: (options = {}) =>
      createIncrementalDecoder((id) => shownBytes(id, options.skipSpecialTokens !== false)),
  };
}

/** The error for a prompt that can't fit, whatever its exact length. */
export function tooLong(maxTokens: number): PreambleError {
  return new PreambleError(
    'context_length_exceeded',
    `The prompt has more than ${maxTokens} tokens, the most that fit.`,
    {
      action: 'Shorten it.',
    },
  );
}

interface Phases {
  readonly raw: (text: string) => Section[];
  readonly normalized: (text: string) => Section[];
}

function createPhases(tokens: readonly AddedToken[], normalize: (text: string) => string): Phases {
  return {
    raw: createSplitter(tokens.filter((token) => !token.normalized)),
    normalized: createSplitter(
      tokens.filter((token) => token.normalized),
      (token) => normalize(token.content),
    ),
  };
}

function splitAtMarker(text: string, marker: string, splitter: (text: string) => Section[]): ControlSection[] {
  const sections: ControlSection[] = [];
  text.split(marker).forEach((part, index) => {
    if (index > 0) sections.push({ kind: 'marker' });
    for (const section of splitter(part)) {
      if ('token' in section) sections.push({ kind: 'token', id: section.token.id });
      else sections.push({ kind: 'text', text: section.text, first: index === 0 && section.offset === 0 });
    }
  });
  return sections;
}
