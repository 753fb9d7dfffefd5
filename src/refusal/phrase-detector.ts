import { Assessment, type Hit } from './assessment.ts';
import { SentenceMatcher } from './automaton.ts';
import { CodePoints } from './code-points.ts';
import { type CompiledPhrases, compilePhrases } from './compile-phrases.ts';
import type { RefusalDetector } from './detector.ts';
import { Layout } from './layout.ts';
import { observe, type TextFinding, type TextReader } from './observer.ts';
import { type PhraseTable, parsePhraseTable } from './phrase-table.ts';
import english from './phrases/en.json' with { type: 'json' };
import { ReasoningFilter } from './reasoning.ts';

/** Enough for answers that follow one another; a thousand at a time need not leave theirs. */
const MAX_SPARE = 64;

/** The tables that come with Preamble. */
export const shippedPhrases: readonly PhraseTable[] = [parsePhraseTable(english, 'phrases/en.json')];

/** A detector for one or several languages at once. Throws PreambleError `config_invalid` for a table whose patterns cannot be compiled. */
export function createRefusalDetector(tables: readonly PhraseTable[] = shippedPhrases): RefusalDetector {
  const phrases = compilePhrases(tables);
  const spare: SentenceMatcher[] = [];
  return { name: phrases.name, start: () => observe(phrases.name, readPhrases(phrases, spare)) };
}

/** A matcher's tables are as large as the automaton, and clean after each sentence: the next answer takes one that is there. */
function readPhrases(phrases: CompiledPhrases, spare: SentenceMatcher[]): TextReader {
  let assessment = new Assessment();
  const matcher = spare.pop() ?? new SentenceMatcher(phrases.automaton);
  let words = 0;
  let over = false;

  const newLayout = (): Layout =>
    new Layout({
      block: (kind) => assessment.block(kind),
      word: (word, at) => {
        words++;
        const parts = phrases.contractions.get(word);
        if (parts === undefined) matcher.word(word, at);
        else for (const part of parts) matcher.word(part, at);
      },
      quotedWord: () => assessment.quotedWord(),
      sentenceEnd: () => {
        assessment.sentence(words, hitsOf(phrases, matcher.finish()));
        words = 0;
      },
      quotedBlock: () => {
        matcher.finish();
        assessment.sentence(words, []);
        words = 0;
        assessment.quotedBlock();
      },
      rule: () => assessment.rule(),
    });

  let layout = newLayout();
  const reasoning = new ReasoningFilter({
    character: (character, at) => layout.character(character, at),
    restart: () => {
      assessment = new Assessment();
      matcher.finish();
      words = 0;
      layout = newLayout();
    },
  });
  const codePoints = new CodePoints((character, at) => reasoning.character(character, at));

  return {
    push(text) {
      // The matcher may be another answer's by now.
      if (!over) codePoints.push(text);
    },
    length: () => codePoints.length,
    isSettled: () => assessment.settled,
    end: (): TextFinding => {
      codePoints.end();
      reasoning.end();
      layout.end();
      if (!over && spare.length < MAX_SPARE) spare.push(matcher);
      over = true;
      const { helped, anyText } = assessment;
      if (!anyText) return { decision: 'empty', rule: null, atChar: null, helped };
      const { decision, hit } = assessment.conclude();
      return { decision, rule: hit?.rule.id ?? null, atChar: hit?.at ?? null, helped };
    },
  };
}

/** One hit for each rule that fired and whose exceptions did not. */
function hitsOf(phrases: CompiledPhrases, found: ReadonlyMap<number, number>): Hit[] {
  if (found.size === 0) return [];
  const earliest = new Map<number, number>();
  const excepted = new Set<number>();
  for (const [pattern, at] of found) {
    const meaning = phrases.meaning[pattern];
    if (meaning === undefined) continue;
    if (meaning.exception) excepted.add(meaning.rule);
    else earliest.set(meaning.rule, Math.min(at, earliest.get(meaning.rule) ?? at));
  }
  const hits: Hit[] = [];
  for (const [index, at] of earliest) {
    const rule = phrases.rules[index];
    if (rule !== undefined && !excepted.has(index)) hits.push({ rule, at });
  }
  return hits;
}
