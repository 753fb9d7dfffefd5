import Type from 'typebox';
import Compile from 'typebox/compile';
import { PreambleError } from '../errors.ts';
import { type Automaton, compile } from './automaton.ts';
import { type Contractions, type Pattern, parsePattern } from './pattern.ts';

/** A table is read once at start; the bound keeps a wrong file from being taken for one. */
const MAX_RULES = 500;
const MAX_PATTERNS_PER_RULE = 200;
const MAX_PATTERN_CHARACTERS = 400;

const patterns = Type.Array(Type.String({ minLength: 1, maxLength: MAX_PATTERN_CHARACTERS }), {
  minItems: 1,
  maxItems: MAX_PATTERNS_PER_RULE,
});

/** What a sentence does when one of a rule's patterns is found in it; docs/refusal-decisions.md tells how they combine. */
const ruleKind = Type.Union([
  /** The model refuses, wherever it stands. */
  Type.Literal('refusal'),
  /** Refuses if the answer is little more than this, as a bare "No.". */
  Type.Literal('bare'),
  /** Opens a refusal, if nothing of substance follows: an apology, a judgement. */
  Type.Literal('opening'),
  /** Declines expert advice: a refusal if nothing of substance follows, a caution if something does. */
  Type.Literal('hedge'),
  /** Names a part of the request: a refusal in the same sentence is then a partial one. */
  Type.Literal('part'),
  /** A sentence that neither helps nor refuses: judgement, sympathy, politeness. */
  Type.Literal('aside'),
  /** Offers something else than was asked for: a safe alternative, resources. */
  Type.Literal('alternative'),
  /** Turns from a refusal to what was asked for. */
  Type.Literal('help'),
  /** The same, in words so clear that even an alternative offered before does not matter. */
  Type.Literal('anyway'),
  /** A draft, a letter or a tale begins: what follows is not the model's own voice. */
  Type.Literal('draft'),
]);

export const phraseTableSchema = Type.Object(
  {
    $comment: Type.Optional(Type.String()),
    /** BCP 47. */
    language: Type.String({ pattern: '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$' }),
    version: Type.String({ pattern: '^[0-9]+\\.[0-9]+\\.[0-9]+$' }),
    /** Word -> the words that it stands for. */
    contractions: Type.Record(Type.String(), Type.String({ minLength: 1 })),
    /** Name -> alternatives, named `<name>` in patterns. */
    classes: Type.Record(Type.String({ pattern: '^[a-z][a-z0-9-]*$' }), patterns, { additionalProperties: false }),
    rules: Type.Array(
      Type.Object(
        {
          id: Type.String({ pattern: '^[a-z0-9][a-z0-9-]*$', maxLength: 60 }),
          kind: ruleKind,
          patterns,
          /** The rule does not count in a sentence where one of these is found. */
          except: Type.Optional(patterns),
          $comment: Type.Optional(Type.String()),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: MAX_RULES },
    ),
  },
  { additionalProperties: false },
);

export type PhraseTable = Type.Static<typeof phraseTableSchema>;
export type RuleKind = PhraseTable['rules'][number]['kind'];

const checker = Compile(phraseTableSchema);

/** Throws PreambleError `config_invalid` that names the place at fault. `source` is what a person knows the table by, a file's name. */
export function parsePhraseTable(value: unknown, source: string): PhraseTable {
  if (checker.Check(value)) return value;
  const [first] = checker.Errors(value);
  throw invalid(source, `${first?.instancePath || '/'} ${first?.message ?? 'is not valid'}`);
}

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
  readonly meaning: readonly { readonly rule: number; readonly exception: boolean }[];
}

/** Several languages work side by side; where two unfold a word differently, the first one's way holds. Throws PreambleError `config_invalid`. */
export function compilePhrases(tables: readonly PhraseTable[]): CompiledPhrases {
  const contractions = new Map<string, readonly string[]>();
  for (const table of tables)
    for (const [word, words] of Object.entries(table.contractions))
      if (!contractions.has(word)) contractions.set(word, words.split(' '));

  const compiled: Pattern[] = [];
  const rules: CompiledRule[] = [];
  const meaning: { rule: number; exception: boolean }[] = [];
  for (const table of tables) {
    const source = `The phrase table '${table.language}'`;
    for (const rule of table.rules) {
      const id = `${table.language}/${rule.id}`;
      if (rules.some((other) => other.id === id)) throw invalid(source, `has two rules '${rule.id}'`);
      const context = { contractions, classes: table.classes };
      for (const [list, exception] of [[rule.patterns, false], [rule.except ?? [], true]] as const)
        for (const pattern of list) {
          try {
            compiled.push(parsePattern(pattern, context));
          } catch (error) {
            throw invalid(source, `rule '${rule.id}', pattern '${pattern}': ${messageOf(error)}`);
          }
          meaning.push({ rule: rules.length, exception });
        }
      rules.push({ id, kind: rule.kind });
    }
  }
  const name = `phrases-${tables.map((table) => table.language).join('+')}@${tables.map((table) => table.version).join('+')}`;
  try {
    return { name, contractions, automaton: compile(compiled), rules, meaning };
  } catch (error) {
    throw invalid('The phrase tables', messageOf(error));
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function invalid(source: string, problem: string): PreambleError {
  return new PreambleError('config_invalid', `${source}: ${problem}.`, {
    action: 'See docs/refusal-decisions.md for the form of a phrase table.',
  });
}
