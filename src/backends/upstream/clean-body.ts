import { assertUniqueNames, objectSpans, rootSpan } from '../../formats/json-spans.ts';
import { splice } from '../../formats/splice.ts';
import type { Call } from '../backend.ts';
import type { WireTextGuard } from './text-guard.ts';

export interface CleanBody<Request> {
  /** The JSON text of `request`. */
  readonly bytes: Buffer;
  readonly request: Request;
}

/**
 * A request in which no text spells a control token. As it came, byte for byte, where none did; else but for the fields at fault.
 * Throws `invalid_request` where a name stands twice.
 */
export function cleanBody<Request extends object>(
  { body, request }: Pick<Call<Request>, 'body' | 'request'>,
  guard: WireTextGuard,
): CleanBody<Request> {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  assertUniqueNames(bytes);
  const changed = guard.clean(request);
  if (changed === null) return { bytes, request };
  const fields = objectSpans(bytes, rootSpan(bytes));
  const edits = [...changed].flatMap(([name, value]) => {
    const place = fields.get(name);
    return place === undefined ? [] : [{ ...place, bytes: [Buffer.from(JSON.stringify(value))] }];
  });
  return { bytes: Buffer.concat(splice(bytes, edits)), request: { ...request, ...Object.fromEntries(changed) } };
}
