import { PreambleError } from '../../errors.ts';
import { STRUCTURAL_KEYS, TYPE_NAMES, USER_NAMED_KEYS } from './structural-keys.ts';

/**
 * Keeps user text from becoming a control token while a template is rendered around it. A control token's first and last
 * characters, wherever user text has them, are replaced by noncharacters, which no vocabulary and no template knows; they
 * are put back when the rendering has been cut at its control tokens. So no control token can begin or end in user text,
 * whatever the template trims, splits or joins. A user text that could stand between a template's `<` and `>` and complete
 * a token has a mark in front.
 */
export interface TextGuard {
  protect(text: string): string;
  /** Protects every text in a JSON value, keys included. Throws `invalid_request` where it is nested too deeply. */
  protectValue(value: unknown): unknown;
  /** Undoes `protect`. */
  restore(text: string): string;
  /** Stands for the soft prompt; protected text never has it. */
  readonly sentinel: string;
}

// Unicode's noncharacters for internal use, U+FDD0 to U+FDEF: interchange is not meant to have them, so user text loses none
const SENTINEL = '\uFDD0';
const MARK = '\uFDD1';
const FIRST_STAND_IN = 0xfdd2;
const STAND_INS = 0xfdef - FIRST_STAND_IN + 1;
const reserved = /[\uFDD0-\uFDEF]/g;

/** Deeper than any tool schema; the library's own recursion ends at some thousands. */
const MAX_DEPTH = 100;

/** Throws `model_unsupported` for a vocabulary whose control tokens begin and end in too many ways. */
export function createTextGuard(controlTokens: Iterable<string>): TextGuard {
  const tokens = [...controlTokens];
  const ends = [...new Set(tokens.flatMap((token) => [firstOf(token), lastOf(token)]))];
  if (ends.length > STAND_INS) {
    throw new PreambleError(
      'model_unsupported',
      `The tokenizer's control tokens begin and end with ${ends.length} different characters.`,
      {
        action: `Choose a model with at most ${STAND_INS}.`,
      },
    );
  }
  const standIns = new Map(ends.map((end, index) => [end, String.fromCharCode(FIRST_STAND_IN + index)]));
  const originals = new Map([...standIns].map(([end, standIn]) => [standIn, end]));
  const anyEnd = ends.length === 0 ? null : new RegExp(`[${ends.map(escapeCodePoint).join('')}]`, 'gu');
  // any case, since templates change it too
  const interiors = tokens.map((token) => token.slice(firstOf(token).length, -lastOf(token).length).toLowerCase());
  const longest = interiors.reduce((length, interior) => Math.max(length, interior.length), 0);

  function replaceEnds(text: string): string {
    const clean = text.toWellFormed().replace(reserved, '');
    return anyEnd === null ? clean : clean.replace(anyEnd, (end) => standIns.get(end) ?? end);
  }

  function protect(text: string): string {
    const replaced = replaceEnds(text);
    const core = replaced.length > 4 * longest + 64 ? '' : replaced.trim().toLowerCase();
    if (core === '' || !interiors.some((interior) => interior.includes(core))) return replaced;
    return replaced.replace(/\S/u, (character) => MARK + character);
  }

  function protectValue(value: unknown, depth: number, userNamed: boolean): unknown {
    if (typeof value === 'string') return protect(value);
    if (typeof value !== 'object' || value === null) return value;
    if (depth > MAX_DEPTH)
      throw new PreambleError('invalid_request', `A value is nested more than ${MAX_DEPTH} levels deep.`);
    if (Array.isArray(value)) return value.map((item) => protectValue(item, depth + 1, false));
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => {
        const structural = !userNamed && STRUCTURAL_KEYS.has(key);
        if (structural && key === 'type' && typeof item === 'string' && TYPE_NAMES.has(item)) return [key, item];
        return [structural ? key : protect(key), protectValue(item, depth + 1, structural && USER_NAMED_KEYS.has(key))];
      }),
    );
  }

  return {
    protect,
    protectValue: (value) => protectValue(value, 0, false),
    restore: (text) => text.replace(reserved, (character) => originals.get(character) ?? ''),
    sentinel: SENTINEL,
  };
}

function firstOf(token: string): string {
  return String.fromCodePoint(token.codePointAt(0) ?? 0);
}

function lastOf(token: string): string {
  return [...token].at(-1) ?? '';
}

function escapeCodePoint(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
