import { type JsonSpan, objectSpans, rootSpan } from './json-spans.ts';
import { type Edit, splice } from './splice.ts';

/**
 * A JSON text whose root object has other values in some fields, new ones at its end; everything else keeps its spelling (`1e-05`, `10000.0`,
 * the order of names), which a parse and a stringify would change. `text` has been parsed already and is an object.
 */
export function withFields(text: Buffer, fields: Readonly<Record<string, unknown>>): Buffer {
  return Buffer.concat(splice(text, fieldEdits(text, rootSpan(text), fields)));
}

/** The same for an object anywhere in the text. */
export function fieldEdits(text: Buffer, object: JsonSpan, fields: Readonly<Record<string, unknown>>): Edit[] {
  const present = objectSpans(text, object);
  const behind = [...present.values()].at(-1)?.end ?? object.start + 1;
  const edits: Edit[] = [];
  let first = present.size === 0;
  for (const [name, value] of Object.entries(fields)) {
    const place = present.get(name);
    const spelled = JSON.stringify(value);
    if (place !== undefined) {
      edits.push({ ...place, bytes: [Buffer.from(spelled)] });
      continue;
    }
    edits.push({
      start: behind,
      end: behind,
      bytes: [Buffer.from(`${first ? '' : ','}\n  ${JSON.stringify(name)}: ${spelled}`)],
    });
    first = false;
  }
  return edits;
}

/** Items at the end of an array. */
export function itemsEdit(array: JsonSpan, isEmpty: boolean, items: readonly unknown[]): Edit {
  const inside = array.end - 1;
  const text = items.map((item) => JSON.stringify(item)).join(',');
  return { start: inside, end: inside, bytes: [Buffer.from(`${isEmpty || text === '' ? '' : ','}${text}`)] };
}
