import type { JsonSpan } from '../../formats/json-spans.ts';
import type { Edit } from '../../formats/splice.ts';
import { isObject } from '../../openai/validate.ts';

interface Streamable {
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean | null } | null;
}

/** The model by the server's own name for it. */
export function modelEdit(fields: ReadonlyMap<string, JsonSpan>, name: string): Edit {
  const { start, end } = fields.get('model') ?? { start: 0, end: 0 };
  return { start, end, bytes: [Buffer.from(JSON.stringify(name))] };
}

/** Asks for token counts in a stream, whether or not the client did: limits and the decision log need them. */
export function usageEdit(object: JsonSpan, fields: ReadonlyMap<string, JsonSpan>, request: Streamable): Edit[] {
  if (request.stream !== true || request.stream_options?.include_usage === true) return [];
  const place = fields.get('stream_options');
  const asked = isObject(request.stream_options) ? request.stream_options : {};
  const wanted = JSON.stringify({ ...asked, include_usage: true });
  if (place !== undefined) return [{ ...place, bytes: [Buffer.from(wanted)] }];
  const inside = object.start + 1;
  return [{ start: inside, end: inside, bytes: [Buffer.from(`"stream_options":${wanted},`)] }];
}
