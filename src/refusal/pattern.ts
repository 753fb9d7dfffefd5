import { isUnspaced, isWordCharacter, normalizeCodePoint } from './normalize.ts';

/** Longest gap in a pattern, in words: a phrase with longer holes is no phrase. */
const MAX_GAP = 8;
/** Classes may name classes, this deep; deeper is a cycle. */
const MAX_CLASS_DEPTH = 6;

/** What a phrase pattern says, without the syntax. `anyOf` with an empty sequence is optional. */
export type PatternNode =
  | { readonly kind: 'word'; readonly words: ReadonlySet<string> }
  | { readonly kind: 'gap'; readonly max: number }
  | { readonly kind: 'sequence'; readonly items: readonly PatternNode[] }
  | { readonly kind: 'anyOf'; readonly options: readonly PatternNode[] };

export interface Pattern {
  /** Only at the first word of a sentence. */
  readonly atStart: boolean;
  /** Only up to the last word of a sentence. */
  readonly atEnd: boolean;
  readonly node: PatternNode;
}

/** Word -> the words that it stands for (`can't` -> `can`, `not`). */
export type Contractions = ReadonlyMap<string, readonly string[]>;

export interface PatternContext {
  readonly contractions: Contractions;
  readonly classes: Readonly<Record<string, readonly string[]>>;
}

const EMPTY: PatternNode = { kind: 'sequence', items: [] };

/** Normalised words of a short text, contractions unfolded. */
function wordsOf(text: string, contractions: Contractions): string[] {
  const normal = [...text].map(normalizeCodePoint).join('');
  const words: string[] = [];
  let word = '';
  const finish = () => {
    const plain = word.replace(/'+$/, '');
    if (plain !== '') words.push(...(contractions.get(plain) ?? [plain]));
    word = '';
  };
  for (const character of normal) {
    if (isUnspaced(character)) {
      finish();
      words.push(character);
    } else if (isWordCharacter(character) || (character === "'" && word !== '')) word += character;
    else finish();
  }
  finish();
  return words;
}

/**
 * Grammar: `^`? item+ `$`?; an item is a word, `<class>`, `(a|b c)`, `..N` (up to N words, at most 8), each optional with `?`.
 * Throws Error with what is wrong.
 */
export function parsePattern(source: string, context: PatternContext): Pattern {
  let text = source.trim();
  const atStart = text.startsWith('^');
  if (atStart) text = text.slice(1);
  const atEnd = text.endsWith('$');
  if (atEnd) text = text.slice(0, -1);
  const node = parseSequence(text, context, 0);
  const { empty, gap: opensWithGap } = opening(node);
  if (empty) throw new Error('it must have a word that is not optional');
  if (opensWithGap) throw new Error('it must not begin with a gap');
  return { atStart, atEnd, node };
}

/** Whether a node may match no word at all, and whether it may begin with a gap. */
function opening(node: PatternNode): { empty: boolean; gap: boolean } {
  switch (node.kind) {
    case 'word':
      return { empty: false, gap: false };
    case 'gap':
      return { empty: true, gap: true };
    case 'anyOf': {
      const options = node.options.map(opening);
      return { empty: options.some((option) => option.empty), gap: options.some((option) => option.gap) };
    }
    case 'sequence': {
      const items = node.items.map(opening);
      const firstSolid = items.findIndex((item) => !item.empty);
      const reachable = firstSolid < 0 ? items : items.slice(0, firstSolid + 1);
      return { empty: firstSolid < 0, gap: reachable.some((item) => item.gap) };
    }
  }
}

function parseSequence(text: string, context: PatternContext, depth: number): PatternNode {
  const tokens = text.match(/\.\.\d+|[()|?]|<[^<>]*>|[^\s()|?<>]+/gu) ?? [];
  let position = 0;

  const alternatives = (): PatternNode => {
    const options = [sequence()];
    while (tokens[position] === '|') {
      position++;
      options.push(sequence());
    }
    return anyOf(options);
  };

  const sequence = (): PatternNode => {
    const items: PatternNode[] = [];
    for (
      let token = tokens[position];
      token !== undefined && token !== ')' && token !== '|';
      token = tokens[position]
    ) {
      position++;
      const node = item(token);
      if (tokens[position] === '?') {
        position++;
        items.push(anyOf([node, EMPTY]));
      } else items.push(node);
    }
    if (items.length === 0) throw new Error('it has an empty part');
    return items.length === 1 && items[0] !== undefined ? items[0] : { kind: 'sequence', items };
  };

  const item = (token: string): PatternNode => {
    if (token === '?') throw new Error("a '?' stands behind nothing");
    if (token === '(') {
      const group = alternatives();
      if (tokens[position++] !== ')') throw new Error("a ')' is missing");
      return group;
    }
    if (token.startsWith('..')) return gap(Number(token.slice(2)));
    if (token.startsWith('<')) return classOf(token.slice(1, -1), context, depth);
    const words = wordsOf(token, context.contractions);
    if (words.length === 0) throw new Error(`'${token}' has no word in it`);
    const items = words.map((word): PatternNode => ({ kind: 'word', words: new Set([word]) }));
    return items.length === 1 && items[0] !== undefined ? items[0] : { kind: 'sequence', items };
  };

  const node = alternatives();
  if (position < tokens.length) throw new Error("a ')' is too many");
  return node;
}

function gap(max: number): PatternNode {
  if (max < 1 || max > MAX_GAP) throw new Error(`a gap must be 1 to ${MAX_GAP} words`);
  return { kind: 'gap', max };
}

function classOf(name: string, context: PatternContext, depth: number): PatternNode {
  const members = Object.hasOwn(context.classes, name) ? context.classes[name] : undefined;
  if (members === undefined) throw new Error(`the class <${name}> is not defined`);
  if (depth >= MAX_CLASS_DEPTH) throw new Error(`the class <${name}> refers to itself`);
  return anyOf(members.map((member) => parseSequence(member, context, depth + 1)));
}

/** Single words side by side become one set: a class of a hundred verbs is then one step of the automaton. */
function anyOf(options: readonly PatternNode[]): PatternNode {
  const flat = options.flatMap((option) => (option.kind === 'anyOf' ? option.options : [option]));
  const single = new Set(flat.flatMap((option) => (option.kind === 'word' ? [...option.words] : [])));
  const rest = flat.filter((option) => option.kind !== 'word');
  const nodes: PatternNode[] = single.size > 0 ? [{ kind: 'word', words: single }, ...rest] : rest;
  return nodes.length === 1 && nodes[0] !== undefined ? nodes[0] : { kind: 'anyOf', options: nodes };
}
