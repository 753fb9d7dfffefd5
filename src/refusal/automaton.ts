import type { Pattern, PatternNode } from './pattern.ts';

/** All rules of a language together stay under 10,000 states; more means that nested alternatives exploded. */
const MAX_STATES = 50_000;

interface State {
  /** null takes any word. */
  words: ReadonlySet<string> | null;
  /** States reached by that word, empty steps already taken. */
  next: number[];
  /** The pattern that is complete in this state, or -1. */
  pattern: number;
  atEnd: boolean;
}

/** The patterns of all rules as one nondeterministic automaton over words. It is read only: any number of matchers run on it. */
export interface Automaton {
  readonly states: readonly State[];
  /** First word -> states after it, for patterns that may begin anywhere, and for those that begin a sentence. */
  readonly anywhere: ReadonlyMap<string, readonly number[]>;
  readonly atStart: ReadonlyMap<string, readonly number[]>;
  readonly patterns: number;
}

/** Thompson's construction, from the end of each pattern to its front. Throws Error when the patterns together are too large. */
export function compile(patterns: readonly Pattern[]): Automaton {
  const states: State[] = [];
  const anywhere = new Map<string, number[]>();
  const atStart = new Map<string, number[]>();

  const add = (state: State): number => {
    if (states.length >= MAX_STATES) throw new Error(`the patterns need more than ${MAX_STATES} states`);
    states.push(state);
    return states.length - 1;
  };

  /** `follow`: the states to be in after the node. Returns those to be in before it. */
  const build = (node: PatternNode, follow: readonly number[]): number[] => {
    switch (node.kind) {
      case 'word':
        return [add({ words: node.words, next: [...follow], pattern: -1, atEnd: false })];
      case 'gap': {
        let entry = [...follow];
        for (let i = 0; i < node.max; i++)
          entry = [...new Set([...follow, add({ words: null, next: entry, pattern: -1, atEnd: false })])];
        return entry;
      }
      case 'sequence':
        return node.items.reduceRight<number[]>((after, item) => build(item, after), [...follow]);
      case 'anyOf':
        return [...new Set(node.options.flatMap((option) => build(option, follow)))];
    }
  };

  patterns.forEach((pattern, index) => {
    const accept = add({ words: new Set(), next: [], pattern: index, atEnd: pattern.atEnd });
    const starts = pattern.atStart ? atStart : anywhere;
    for (const entry of build(pattern.node, [accept])) {
      const state = states[entry];
      for (const word of state?.words ?? [])
        starts.set(word, [...new Set([...(starts.get(word) ?? []), ...(state?.next ?? [])])]);
    }
  });
  return { states, anywhere, atStart, patterns: patterns.length };
}

const NOTHING_FOUND = new Map<number, number>();

/** Active states, the first `count` of the arrays, and where in the text each one's match began. */
interface ActiveStates {
  readonly states: number[];
  readonly began: number[];
  count: number;
}

const noStates = (): ActiveStates => ({ states: [], began: [], count: 0 });

/** Runs the automaton along one sentence. A word costs at most one look at each state, so the time is linear in the text. */
export class SentenceMatcher {
  readonly #automaton: Automaton;
  readonly #seen: Uint32Array;
  readonly #hitAt: Float64Array;
  readonly #endAt: Uint32Array;
  readonly #hits: number[] = [];
  #active = noStates();
  /** Those of the word before, to be written anew: a text has many words, and an array that is emptied gives its memory away. */
  #before = noStates();
  #step = 0;
  #words = 0;

  constructor(automaton: Automaton) {
    this.#automaton = automaton;
    this.#seen = new Uint32Array(automaton.states.length);
    this.#hitAt = new Float64Array(automaton.patterns);
    this.#endAt = new Uint32Array(automaton.patterns);
  }

  /** The next word of the sentence, and where in the text it begins. */
  word(word: string, at: number): void {
    const { states, anywhere, atStart } = this.#automaton;
    const before = this.#active;
    this.#active = this.#before;
    this.#active.count = 0;
    this.#before = before;
    this.#step = (this.#step + 1) >>> 0;
    this.#words++;
    for (let i = 0; i < before.count; i++) {
      const state = states[before.states[i] ?? 0];
      if (state === undefined) continue;
      if (state.words === null || state.words.has(word)) this.#enter(state.next, before.began[i] ?? at);
    }
    const first = this.#words === 1 ? atStart.get(word) : undefined;
    if (first !== undefined) this.#enter(first, at);
    const inside = anywhere.get(word);
    if (inside !== undefined) this.#enter(inside, at);
  }

  /** Ends the sentence: the patterns found in it, with where each began; the matcher is then ready for the next sentence. */
  finish(): ReadonlyMap<number, number> {
    const found = this.#hits.length === 0 ? NOTHING_FOUND : new Map<number, number>();
    for (const pattern of this.#hits) {
      const end = this.#endAt[pattern] ?? 0;
      // 0: the pattern may end anywhere
      if (end === 0 || end === this.#words) found.set(pattern, this.#hitAt[pattern] ?? 0);
      this.#endAt[pattern] = 0;
    }
    this.#hits.length = 0;
    this.#active.count = 0;
    this.#words = 0;
    return found;
  }

  #enter(entered: readonly number[], began: number): void {
    for (const index of entered) {
      if (this.#seen[index] === this.#step) continue;
      this.#seen[index] = this.#step;
      const state = this.#automaton.states[index];
      if (state === undefined) continue;
      if (state.pattern < 0) {
        this.#active.states[this.#active.count] = index;
        this.#active.began[this.#active.count++] = began;
        continue;
      }
      if (!this.#hits.includes(state.pattern)) {
        this.#hits.push(state.pattern);
        this.#hitAt[state.pattern] = began;
      }
      if (state.atEnd) this.#endAt[state.pattern] = this.#words;
    }
  }
}
