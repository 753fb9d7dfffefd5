import { PreambleError } from '../../errors.ts';
import { isObject } from '../../openai/validate.ts';

/** The text that vLLM's renderer puts where embeddings go; in a client's own text it would claim the safety prompt's place. */
const RESERVED_TEXT = '<prompt_embeds>';
/** What a server reads from a request and puts before the model: only there can a text become a control token. */
export const READ_FIELDS = ['messages', 'tools', 'functions', 'documents', 'chat_template_kwargs'] as const;
/** A replacement can, with what stands around it, spell another token; each pass takes one such layer off. */
const MAX_PASSES = 4;

/** Keeps a client's text from becoming control tokens on a server whose tokenizer recognises them in any text. */
export interface WireTextGuard {
  /**
   * The fields of a request that had to be changed, with their new values: a blank behind the first character of each control token that
   * is spelled out. Null where there are none. Throws `invalid_request` where the setting says to refuse, and for what cannot be
   * rewritten (escapes in a tool call's arguments, pieces spread over parts).
   */
  clean(request: object): ReadonlyMap<string, unknown> | null;
}

/** What a text must not spell. */
export interface Spelling {
  /** `a control token of the model` */
  readonly what: string;
  holds(text: string): boolean;
  /** With a blank in each place that is found. Throws nothing; what it leaves is looked at again. */
  broken(text: string): string;
}

/** `more` are fields that one kind of server reads besides. */
export function createWireTextGuard(
  tokens: Iterable<string>,
  mode: 'neutralise' | 'refuse',
  more: readonly string[] = [],
): WireTextGuard {
  return guardAgainst(controlTokenSpelling(tokens), mode, [...READ_FIELDS, ...more]);
}

function controlTokenSpelling(tokens: Iterable<string>): Spelling {
  const all = [...new Set([...tokens, RESERVED_TEXT])].filter(({ length }) => length > 1);
  // The longest first: of two that begin alike the longer is meant.
  const spelled = new RegExp(
    all
      .sort((a, b) => b.length - a.length)
      .map(escapeForRegExp)
      .join('|'),
    'g',
  );
  return {
    what: 'a control token of the model',
    holds(text) {
      spelled.lastIndex = 0;
      return spelled.test(text);
    },
    broken: (text) =>
      text.replace(spelled, (token) => {
        const [first = ''] = token;
        return `${first} ${token.slice(first.length)}`;
      }),
  };
}

/** Keeps one spelling out of these fields of a request. */
export function guardAgainst(
  { what, holds, broken }: Spelling,
  mode: 'neutralise' | 'refuse',
  fields: readonly string[],
): WireTextGuard {
  /** The same value where there is nothing to change. Recursive: after `assertJsonDepth` only. */
  function cleaned(value: unknown, path: string): unknown {
    if (typeof value === 'string') return cleanText(value, path);
    if (Array.isArray(value)) {
      const items = value.map((item, index) => cleaned(item, `${path}[${index}]`));
      if (items.length > 1 && holds(joinedText(items))) throw spelledOut(path, what);
      return items.every((item, index) => item === value[index]) ? value : items;
    }
    if (!isObject(value)) return value;
    let changed = false;
    const entries = Object.entries(value).map(([key, child]): [string, unknown] => {
      const [name, item] = [cleanText(key, path), cleaned(child, `${path}.${key.slice(0, 40)}`)];
      changed ||= name !== key || item !== child;
      return [name, item];
    });
    return changed ? Object.fromEntries(entries) : value;
  }

  function cleanText(text: string, path: string): string {
    let clean = text;
    for (let pass = 0; holds(clean); pass++) {
      if (mode === 'refuse' || pass === MAX_PASSES) throw spelledOut(path, what);
      clean = broken(clean);
    }
    if (clean.includes('\\') && holds(unescaped(clean))) throw spelledOut(path, what);
    return clean;
  }

  return {
    clean(request) {
      const changed = new Map<string, unknown>();
      for (const field of fields) {
        const value: unknown = Reflect.get(request, field);
        if (value === undefined) continue;
        const clean = cleaned(value, field);
        if (clean !== value) changed.set(field, clean);
      }
      return changed.size === 0 ? null : changed;
    },
  };
}

/** The one sees what the other has left. */
export function joinGuards(first: WireTextGuard, second: WireTextGuard): WireTextGuard {
  return {
    clean(request) {
      const once = first.clean(request);
      const twice = second.clean(once === null ? request : { ...request, ...Object.fromEntries(once) });
      return once === null ? twice : new Map([...once, ...(twice ?? [])]);
    },
  };
}

/** `RegExp.escape` came with Node 24. */
function escapeForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/** What a server takes the text of a content part from, by its kind: `text`, `refusal`, `thinking`, `tool_reference`. */
const TEXT_FIELDS = ['text', 'refusal', 'thinking', 'name'] as const;

/** The text parts of a message, as a template without separators puts them together. */
function joinedText(items: readonly unknown[]): string {
  return items.map(textOf).join('');
}

function textOf(item: unknown): string {
  if (!isObject(item)) return '';
  return TEXT_FIELDS.map((field) => item[field])
    .filter((value) => typeof value === 'string')
    .join('');
}

/** A tool call's arguments are JSON in a string, which the server parses. JSON may spell a slash `\/` and any character `\u003c`. */
export function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|\/)/g, (_, code?: string) =>
    code === undefined ? '/' : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

export function spelledOut(path: string, what: string): PreambleError {
  return new PreambleError('invalid_request', `'${path}' spells ${what}.`, {
    action: 'Spell it differently.',
    param: path,
  });
}
