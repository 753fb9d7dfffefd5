export interface CsvRecord {
  /** Where the record begins, counted from 1: quoted fields may hold line breaks, so this is not the record's number. */
  line: number;
  fields: string[];
}

export interface CsvContent {
  records: CsvRecord[];
  /** Where the text stops being CSV; what comes behind it is left unread, as nobody can say where its fields begin. */
  fault: { line: number; problem: string } | null;
}

const QUOTE = '"';
/** What may stand behind an unquoted field; the quote is there to be found where it must not be. */
const END_OF_PLAIN_FIELD = /[",\r\n]/g;

/** Comma-separated values by RFC 4180, with LF, CR or CRLF: a quote in a quoted field is doubled. Blank lines are left out. */
export function parseCsv(text: string): CsvContent {
  const records: CsvRecord[] = [];
  let line = 1;
  let at = 0;
  while (at < text.length) {
    const record: CsvRecord = { line, fields: [] };
    let quoted = false;
    for (;;) {
      const field = text[at] === QUOTE ? quotedField(text, at) : plainField(text, at);
      line += countLines(text, at, field.end);
      if (field.problem !== undefined) return { records, fault: { line: record.line, problem: field.problem } };
      quoted ||= text[at] === QUOTE;
      record.fields.push(field.value);
      at = field.end;
      if (text[at] !== ',') break;
      at++;
    }
    if (at < text.length) {
      at += text.startsWith('\r\n', at) ? 2 : 1;
      line++;
    }
    const blank = !quoted && record.fields.length === 1 && record.fields[0] === '';
    if (!blank) records.push(record);
  }
  return { records, fault: null };
}

interface Field {
  value: string;
  /** Position behind the field: of a comma, a line break, or the end of the text. */
  end: number;
  problem?: string;
}

function plainField(text: string, start: number): Field {
  END_OF_PLAIN_FIELD.lastIndex = start;
  const end = END_OF_PLAIN_FIELD.exec(text)?.index ?? text.length;
  const field = { value: text.slice(start, end), end };
  if (text[end] !== QUOTE) return field;
  return { ...field, problem: 'it has a quote inside a field that does not begin with one' };
}

function quotedField(text: string, start: number): Field {
  let end = start + 1;
  for (;;) {
    end = text.indexOf(QUOTE, end);
    if (end < 0) return { value: '', end: text.length, problem: 'it has a quoted field that never ends' };
    if (text[end + 1] !== QUOTE) break;
    end += 2;
  }
  const value = text.slice(start + 1, end).replaceAll('""', QUOTE);
  const next = text[end + 1];
  if (next === undefined || ',\r\n'.includes(next)) return { value, end: end + 1 };
  return { value, end: end + 1, problem: 'it has text behind the closing quote of a field' };
}

/** Line breaks from `start` up to `end`, CRLF counted once. */
function countLines(text: string, start: number, end: number): number {
  let lines = 0;
  for (let at = start; at < end; at++) {
    if (text[at] === '\n' || (text[at] === '\r' && text[at + 1] !== '\n')) lines++;
  }
  return lines;
}
