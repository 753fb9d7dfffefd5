import { PreambleError } from '../../errors.ts';
import { arraySpans, type JsonSpan, objectSpans, rootSpan } from '../../formats/json-spans.ts';
import { type Edit, splice } from '../../formats/splice.ts';
import type { TextRequest } from '../../openai/completions.ts';
import { modelEdit, usageEdit } from '../upstream/common-edits.ts';
import type { RequestText } from '../upstream/dialect.ts';

/** What stands in front of a raw prompt. */
export interface RawFront {
  readonly text: string;
  /** The same as token ids; null for a text that is no soft prompt's. */
  readonly ids: readonly number[] | null;
}

export interface RawBodyOptions {
  readonly model: string;
  /** Null for nothing. */
  readonly front: RawFront | null;
  /** Ids with which every text of the model begins (BOS): the front stands behind them. */
  readonly beginning: readonly number[];
  edits(text: RequestText): readonly Edit[];
}

const comma = Buffer.from(',');

/** A raw completion: the client's own bytes, each prompt with the front at its head. Throws `prompt_unavailable`. */
export function rawBody(bytes: Buffer, request: TextRequest, options: RawBodyOptions): Uint8Array[] {
  const object = rootSpan(bytes);
  const fields = objectSpans(bytes, object);
  const edits = [modelEdit(fields, options.model), ...usageEdit(object, fields, request)];
  const prompt = fields.get('prompt');
  if (options.front !== null && prompt !== undefined) {
    edits.push(...promptEdits(bytes, prompt, request.prompt, options.front, options.beginning));
  }
  edits.push(...options.edits({ bytes, object, fields }));
  return splice(bytes.subarray(0, object.end), [{ start: 0, end: object.start, bytes: [] }, ...edits]);
}

function promptEdits(
  bytes: Buffer,
  span: JsonSpan,
  prompt: TextRequest['prompt'],
  front: RawFront,
  beginning: readonly number[],
): Edit[] {
  if (typeof prompt === 'string') return [insideString(span, front.text)];
  if (prompt.some((part) => typeof part === 'number')) return [inFrontOfIds(bytes, span, front, beginning)];
  return arraySpans(bytes, span).map((each, index) =>
    typeof prompt[index] === 'string' ? insideString(each, front.text) : inFrontOfIds(bytes, each, front, beginning),
  );
}

function insideString({ start }: JsonSpan, text: string): Edit {
  return { start: start + 1, end: start + 1, bytes: [Buffer.from(JSON.stringify(text).slice(1, -1))] };
}

function inFrontOfIds(bytes: Buffer, span: JsonSpan, { ids }: RawFront, beginning: readonly number[]): Edit {
  if (ids === null) {
    throw new PreambleError('prompt_unavailable', 'The safety prompt cannot be put in front of token ids here.', {
      action: 'Send the prompt as text.',
    });
  }
  const places = arraySpans(bytes, span);
  const begun = beginning.every((id, index) => numberAt(bytes, places[index]) === id);
  // Behind the last of them, or within the bracket.
  const at = begun ? (places[beginning.length - 1]?.end ?? span.start + 1) : span.start + 1;
  const written = Buffer.from(ids.join(','));
  const inBracket = at === span.start + 1;
  return { start: at, end: at, bytes: inBracket ? [written, comma] : [comma, written] };
}

function numberAt(bytes: Buffer, span: JsonSpan | undefined): number | null {
  return span === undefined ? null : Number(bytes.toString('latin1', span.start, span.end));
}
