const APOSTROPHES = /[\u2018\u2019\u201a\u201b\u02bc\u2032\u00b4\uff07]/u;
const DOUBLE_QUOTES = /[\u201c-\u201f\u00ab\u00bb\u2033\uff02\u300c\u300d]/u;
const DASHES = /[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]/u;
/** Invisible: zero-width characters, bidirectional controls, soft hyphen, byte order mark. */
const IGNORED = /\p{Default_Ignorable_Code_Point}|\p{Cf}/u;
const MARKS = /\p{M}/gu;
const SPACE = /[\p{Z}\t\v\f\r\u0085]/u;

/**
 * One code point as the phrase rules see it: lower case, without accents, compatibility forms unfolded (full width, ligatures), one kind
 * of apostrophe, quote, dash and space; '' for what cannot be seen. It looks at one code point alone, so that a text normalises the same
 * however it is cut.
 */
export function normalizeCodePoint(character: string): string {
  if (character < '\u0080') {
    if (character === '\n') return character;
    if (character <= ' ' || character === '\u007f') return ' ';
    return character >= 'A' && character <= 'Z' ? character.toLowerCase() : character;
  }
  if (APOSTROPHES.test(character)) return "'";
  if (DOUBLE_QUOTES.test(character)) return '"';
  if (DASHES.test(character)) return '-';
  if (IGNORED.test(character)) return '';
  if (character === '\u2028' || character === '\u2029') return '\n';
  if (SPACE.test(character)) return ' ';
  return character.toLowerCase().normalize('NFKD').replace(MARKS, '');
}

/** Whether it begins with one. */
export const isLowerAscii = (text: string): boolean => {
  const unit = text.charCodeAt(0);
  return unit >= 0x61 && unit <= 0x7a;
};

export const isWordCharacter = (character: string): boolean =>
  character < '\u0080'
    ? isLowerAscii(character) || (character >= '0' && character <= '9')
    : /[\p{L}\p{N}]/u.test(character);

/** Scripts that write no spaces between words: there each character stands for itself. */
export const isUnspaced = (character: string): boolean =>
  character >= '\u0e00' &&
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u.test(character);
