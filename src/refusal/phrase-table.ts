import Type from 'typebox';
import Compile from 'typebox/compile';
import { PreambleError } from '../errors.ts';

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
  throw invalidTable(source, `${first?.instancePath || '/'} ${first?.message ?? 'is not valid'}`);
}

export function invalidTable(source: string, problem: string): PreambleError {
  return new PreambleError('config_invalid', `${source}: ${problem}.`, {
    action: 'See docs/refusal-decisions.md for the form of a phrase table.',
  });
}
