import type { AddedTokenJson } from './tokenizer-file.ts';

/** A token that is found in the text itself, before any other rule; the fields are those of the `tokenizers` library. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Matches only between characters that are not word characters. */
  readonly singleWord: boolean;
  /** Swallows the whitespace before it. */
  readonly lstrip: boolean;
  /** Swallows the whitespace after it. */
  readonly rstrip: boolean;
  /** Is looked for in the normalized text. */
  readonly normalized: boolean;
  readonly special: boolean;
}

/** A stretch of text, or an added token that was found in it. `offset` is where it begins, in UTF-16 units. */
export type Section =
  | { readonly text: string; readonly offset: number }
  | { readonly token: AddedToken; readonly offset: number };

export type Splitter = (text: string) => Section[];

export function parseAddedToken(json: AddedTokenJson): AddedToken {
  const special = json.special ?? false;
  return {
    id: json.id,
    content: json.content,
    singleWord: json.single_word ?? false,
    lstrip: json.lstrip ?? false,
    rstrip: json.rstrip ?? false,
    normalized: json.normalized ?? !special,
    special,
  };
}

/**
 * Whether a token steers the conversation: it is special, or it looks like markup (`<tool_call>`, `[INST]`), as the
 * tokens do that some models mark as ordinary although their templates rely on them.
 */
export function isControlToken(token: AddedToken): boolean {
  return token.special || /^(<.*>|\[.*\])$/su.test(token.content);
}

interface TrieNode {
  readonly children: Map<number, TrieNode>;
  token: AddedToken | null;
}

/**
 * Cuts a text at its added tokens: leftmost first, longest first, with the `single_word`, `lstrip` and `rstrip` rules
 * of the `tokenizers` library's `AddedVocabulary::find_matches`. `spelled` says how a token is spelled in the text.
 */
export function createSplitter(
  tokens: readonly AddedToken[],
  spelled: (token: AddedToken) => string = (token) => token.content,
): Splitter {
  if (tokens.length === 0) return (text) => (text === '' ? [] : [{ text, offset: 0 }]);
  const root: TrieNode = { children: new Map(), token: null };
  for (const token of tokens) insert(root, spelled(token), token);
  return (text) => split(root, text);
}

function insert(root: TrieNode, spelling: string, token: AddedToken): void {
  let node = root;
  for (let i = 0; i < spelling.length; i++) {
    const unit = spelling.charCodeAt(i);
    let child = node.children.get(unit);
    if (child === undefined) {
      child = { children: new Map(), token: null };
      node.children.set(unit, child);
    }
    node = child;
  }
  if (node !== root) node.token ??= token;
}

function split(root: TrieNode, text: string): Section[] {
  const sections: Section[] = [];
  let done = 0;
  let at = 0;
  while (at < text.length) {
    const match = longestMatch(root, text, at);
    if (match === null) {
      at++;
      continue;
    }
    const { token } = match;
    let { start, end } = match;
    at = end;
    if (token.singleWord && !standsAlone(text, start, end)) continue;
    if (token.lstrip) start = Math.max(spaceBefore(text, start), done);
    if (token.rstrip) end = spaceAfter(text, end);
    if (start > done) sections.push({ text: text.slice(done, start), offset: done });
    sections.push({ token, offset: start });
    done = end;
    at = Math.max(at, done);
  }
  if (done < text.length) sections.push({ text: text.slice(done), offset: done });
  return sections;
}

function longestMatch(root: TrieNode, text: string, start: number) {
  let node: TrieNode | undefined = root;
  let best: { token: AddedToken; start: number; end: number } | null = null;
  for (let i = start; i < text.length; i++) {
    node = node.children.get(text.charCodeAt(i));
    if (node === undefined) break;
    if (node.token !== null) best = { token: node.token, start, end: i + 1 };
  }
  return best;
}

/** Rust's `\w`, which JavaScript's is not. */
const wordCharacter = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

function standsAlone(text: string, start: number, end: number): boolean {
  const after = text.codePointAt(end);
  const low = text.charCodeAt(start - 1);
  const before =
    start >= 2 && low >= 0xdc00 && low <= 0xdfff ? text.codePointAt(start - 2) : text.charCodeAt(start - 1);
  const isWord = (code: number | undefined) =>
    code !== undefined && !Number.isNaN(code) && wordCharacter.test(String.fromCodePoint(code));
  return !isWord(before) && !isWord(after);
}

/** Unicode White_Space, which is Rust's `\s`: with U+0085, without U+FEFF. All lie in the Basic Multilingual Plane. */
const whitespace = /\p{White_Space}/u;

function spaceBefore(text: string, start: number): number {
  let at = start;
  while (at > 0 && whitespace.test(text.charAt(at - 1))) at--;
  return at;
}

function spaceAfter(text: string, end: number): number {
  let at = end;
  while (at < text.length && whitespace.test(text.charAt(at))) at++;
  return at;
}
