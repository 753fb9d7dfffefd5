import { type JsonNode, pathOf, walkJson } from '../../openai/walk-json.ts';
import { guardAgainst, READ_FIELDS, spelledOut, unescaped, type WireTextGuard } from '../upstream/text-guard.ts';
import type { SpelledPrompts } from './graft.ts';
import { piecesSpell } from './pieces.ts';
import { stemOf, virtualTokenSpelling } from './spelling.ts';
import { refuseVirtualIds } from './virtual-ids.ts';

/**
 * Keeps a client from putting virtual tokens before the model: in no text of any field, by no id. What is put before the model is treated
 * as `mode` says; anywhere else (grammars, schemas, names of a server's own that nobody here knows) a spelling is refused. `readFields` are those
 * that one kind of server reads besides, or all: of a path that nobody here knows any field may be put before the model. Null where the graft holds
 * no prompt.
 */
export function createVirtualTokenGuard(
  { all, ids }: SpelledPrompts,
  mode: 'neutralise' | 'refuse',
  readFields: readonly string[] | 'all',
): WireTextGuard | null {
  if (all.length === 0) return null;
  const stems = all.map(({ texts }) => stemOf(texts));
  const spelling = virtualTokenSpelling(stems.map(({ stem }) => stem));
  const known = readFields === 'all' ? null : [...READ_FIELDS, ...readFields, 'prompt'];

  return {
    clean(request) {
      refuseVirtualIds(request, ids);
      const read = known ?? Object.keys(request);
      if (known === null && read.some(spelling.holds)) throw spelledOut('body', spelling.what);
      const changed = guardAgainst(spelling, mode, read).clean(request);
      const clean = changed === null ? request : { ...request, ...Object.fromEntries(changed) };
      for (const [field, value] of Object.entries(clean)) {
        if (!read.includes(field)) refuseSpelled({ [field]: value });
      }
      const pieces = textsOf(read.map((field) => Reflect.get(clean, field)));
      if (piecesSpell(pieces, stems)) throw spelledOut('messages', spelling.what);
      return changed;
    },
  };

  function refuseSpelled(value: object): void {
    visitTexts(value, (text, node) => {
      if (spelling.holds(text) || (text.includes('\\') && spelling.holds(unescaped(text)))) {
        throw spelledOut(pathOf(node), spelling.what);
      }
    });
  }
}

function textsOf(value: unknown): string[] {
  const texts: string[] = [];
  visitTexts(value, (text) => texts.push(text));
  return texts;
}

/** Every text of a value, names of fields included. */
function visitTexts(value: unknown, visit: (text: string, node: JsonNode) => void): void {
  walkJson(value, (node) => {
    if (typeof node.value === 'string') visit(node.value, node);
    else if (!Array.isArray(node.value)) for (const name of Object.keys(node.value)) visit(name, node);
  });
}
