import { type Automaton, compile } from './automaton.ts';
import { type Contractions, type Pattern, parsePattern } from './pattern.ts';
import { invalidTable, type PhraseTable, type RuleKind } from './phrase-table.ts';

export interface CompiledRule {
  /** `language/id`. */
  readonly id: string;
  readonly kind: RuleKind;
}

export interface CompiledPhrases {
  /** `phrases-en@1.0.0`. */
  readonly name: string;
  readonly contractions: Contractions;
  readonly automaton: Automaton;
  readonly rules: readonly CompiledRule[];
  /** Pattern -> its rule, and whether it is an exception of it. */
  readonly meaning: readonly PatternMeaning[];
}

interface PatternMeaning {
  readonly rule: number;
  readonly exception: boolean;
}

/** Several languages work side by side; where two unfold a word differently, the first one's way holds. Throws PreambleError `config_invalid`. */
export function compilePhrases(tables: readonly PhraseTable[]): CompiledPhrases {
  const contractions = joinContractions(tables);
  const patterns: Pattern[] = [];
  const rules: CompiledRule[] = [];
  const meaning: PatternMeaning[] = [];
  for (const table of tables) {
    for (const rule of table.rules) {
      const id = `${table.language}/${rule.id}`;
      if (rules.some((other) => other.id === id)) throw invalidTable(nameOf(table), `has two rules '${rule.id}'`);
      const add = (sources: readonly string[], exception: boolean): void => {
        for (const source of sources) {
          patterns.push(parseRulePattern(source, rule.id, table, contractions));
          meaning.push({ rule: rules.length, exception });
        }
      };
      add(rule.patterns, false);
      add(rule.except ?? [], true);
      rules.push({ id, kind: rule.kind });
    }
  }
  const join = (part: (table: PhraseTable) => string): string => tables.map(part).join('+');
  const name = `phrases-${join((table) => table.language)}@${join((table) => table.version)}`;
  try {
    return { name, contractions, automaton: compile(patterns), rules, meaning };
  } catch (error) {
    throw invalidTable('The phrase tables', messageOf(error));
  }
}

function joinContractions(tables: readonly PhraseTable[]): Contractions {
  const contractions = new Map<string, readonly string[]>();
  for (const [word, words] of tables.flatMap((table) => Object.entries(table.contractions))) {
    if (!contractions.has(word)) contractions.set(word, words.split(' '));
  }
  return contractions;
}

function parseRulePattern(source: string, rule: string, table: PhraseTable, contractions: Contractions): Pattern {
  try {
    return parsePattern(source, { contractions, classes: table.classes });
  } catch (error) {
    throw invalidTable(nameOf(table), `rule '${rule}', pattern '${source}': ${messageOf(error)}`);
  }
}

const nameOf = (table: PhraseTable): string => `The phrase table '${table.language}'`;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
