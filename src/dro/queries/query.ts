import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { quoteName } from '../../formats/quote-name.ts';

/**
 * UTF-16 units, some 250 tokens. The directions are read from the last token of a short request; longer ones cost memory in every training
 * step, and the shipped sets stay below 120.
 */
export const MAX_QUERY_LENGTH = 1_000;
/** An id, a category: shown in tables. */
const MAX_NAME_LENGTH = 64;

export const queryLabels = ['harmful', 'harmless'] as const;

/** Names stand in tables on a terminal: no controls, no marks that turn the direction, no line separators. */
const name = Type.String({
  minLength: 1,
  maxLength: MAX_NAME_LENGTH,
  pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028-\\u202e\\u2066-\\u2069]*$',
});
const labelSchema = Type.Union([Type.Literal('harmful'), Type.Literal('harmless')]);
const formSchema = Type.Union([Type.Literal('question'), Type.Literal('imperative')]);

/** One line of a file. Closed: a misspelt field is refused, not silently left unread. */
const recordSchema = Type.Object(
  {
    text: Type.String(),
    label: Type.Optional(labelSchema),
    id: Type.Optional(name),
    category: Type.Optional(name),
    form: Type.Optional(formSchema),
    /** The id of the query of the other label that shares its words. */
    twin: Type.Optional(name),
  },
  { additionalProperties: false },
);

/** The fields and columns that a file may have, in the order in which messages name them. */
export const queryFields: readonly string[] = Object.keys(recordSchema.properties);

export type QueryLabel = Static<typeof labelSchema>;
export type QueryForm = Static<typeof formSchema>;

export interface Query {
  id: string;
  /** Without white space at its ends; one line. */
  text: string;
  label: QueryLabel;
  category: string | null;
  form: QueryForm;
  twin: string | null;
  /** Where it begins in its file, counted from 1. */
  line: number;
}

export type QueryFaultKind = 'invalid' | 'empty' | 'too-long' | 'control-character';

/** Why one line of a file is no query; `problem` reads on after "line 12: ". */
export interface QueryFault {
  line: number;
  kind: QueryFaultKind;
  problem: string;
}

/** What a line takes where it does not say so itself. */
export interface QueryDefaults {
  label: QueryLabel | undefined;
  id: string;
}

const checker = Compile(recordSchema);
/** Controls, invisible and direction marks, line separators, halves of characters. Joiners are letters' business in many scripts. */
const CONTROL = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const JOINERS = /[\u200c\u200d]/g;
/** A question mark, perhaps behind it a quote or bracket that closes. */
const QUESTION = /[?？؟]["'”’»)\]]*$/u;

/** Checks what one line of a file holds. Where it names no form, a question mark at its end makes it a question. */
export function toQuery(record: unknown, line: number, defaults: QueryDefaults): Query | QueryFault {
  if (!checker.Check(record)) return { line, kind: 'invalid', problem: firstFault(record) };
  const { id = defaults.id, label = defaults.label, category = null, twin = null } = record;
  const text = record.text.trim();
  if (text === '') return { line, kind: 'empty', problem: 'its text is empty' };
  if (text.length > MAX_QUERY_LENGTH) {
    return {
      line,
      kind: 'too-long',
      problem: `its text has ${text.length} characters, the most is ${MAX_QUERY_LENGTH}`,
    };
  }
  const control = CONTROL.exec(text.replace(JOINERS, ''))?.[0].codePointAt(0);
  if (control !== undefined) {
    const code = control.toString(16).toUpperCase().padStart(4, '0');
    return { line, kind: 'control-character', problem: `its text holds the control character U+${code}` };
  }
  if (label === undefined) {
    return { line, kind: 'invalid', problem: 'it has no label: it needs harmful or harmless, or give --label for all' };
  }
  return { id, text, label, category, form: record.form ?? formOf(text), twin, line };
}

export function isQuery(result: Query | QueryFault): result is Query {
  return 'text' in result;
}

function formOf(text: string): QueryForm {
  return QUESTION.test(text) ? 'question' : 'imperative';
}

function firstFault(record: unknown): string {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return 'it is not a JSON object';
  const unknown = Object.keys(record).find((field) => !queryFields.includes(field));
  if (unknown !== undefined) return `it has the field ${quoteName(unknown)}; known are ${queryFields.join(', ')}`;
  if (!('text' in record)) return 'it has no text';
  const field = checker.Errors(record)[0]?.instancePath.slice(1) ?? 'text';
  const expected: Record<string, string> = {
    text: 'a string',
    label: 'harmful or harmless',
    form: 'question or imperative',
  };
  return `its ${field} must be ${expected[field] ?? `a string of 1 to ${MAX_NAME_LENGTH} characters without controls`}`;
}
