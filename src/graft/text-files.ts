import { fieldEdits, itemsEdit, withFields } from '../formats/json-edit.ts';
import { arraySpans, objectSpans, rootSpan } from '../formats/json-spans.ts';
import { type Edit, splice } from '../formats/splice.ts';
import type { Placement } from './placement.ts';

export interface VirtualToken {
  readonly id: number;
  readonly text: string;
}

const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };

/** `tokenizer.json` with the virtual tokens among its added ones; a reserved token's entry takes the new spelling. */
export function graftTokenizer(json: Buffer, tokens: readonly VirtualToken[], { renamed }: Placement): Buffer {
  const root = objectSpans(json, rootSpan(json));
  const texts = new Map(tokens.map(({ id, text }) => [id, text]));
  const fresh = tokens.filter(({ id }) => !renamed.has(id)).map(({ id, text }) => ({ id, content: text, ...flags }));
  const edits: Edit[] = [];
  const array = root.get('added_tokens');
  if (array === undefined) {
    edits.push(...fieldEdits(json, rootSpan(json), { added_tokens: fresh }));
  } else {
    const items = arraySpans(json, array);
    for (const item of items) {
      const entry: { id?: number } = JSON.parse(json.toString('utf8', item.start, item.end));
      const text = entry.id !== undefined && renamed.has(entry.id) ? texts.get(entry.id) : undefined;
      if (text !== undefined) edits.push(...fieldEdits(json, item, { content: text, ...flags }));
    }
    if (fresh.length > 0) edits.push(itemsEdit(array, items.length === 0, fresh));
  }
  edits.push(...renameInVocabulary(json, root, renamed, texts));
  return Buffer.concat(splice(json, edits));
}

/** Some files list added tokens in the model's own vocabulary too. */
function renameInVocabulary(
  json: Buffer,
  root: ReturnType<typeof objectSpans>,
  renamed: Placement['renamed'],
  texts: ReadonlyMap<number, string>,
): Edit[] {
  const model = root.get('model');
  const vocab = model === undefined || renamed.size === 0 ? undefined : objectSpans(json, model).get('vocab');
  if (vocab === undefined) return [];
  const edits: Edit[] = [];
  const places = objectSpans(json, vocab);
  for (const [id, old] of renamed) {
    const value = places.get(old);
    const text = texts.get(id);
    if (value === undefined || text === undefined) continue;
    const end = json.lastIndexOf('"', value.start) + 1;
    const start = end - Buffer.byteLength(JSON.stringify(old));
    edits.push({ start, end, bytes: [Buffer.from(JSON.stringify(text))] });
  }
  return edits;
}

/** `tokenizer_config.json`: transformers reads the added tokens from there where it lists them. */
export function graftTokenizerConfig(json: Buffer, tokens: readonly VirtualToken[]): Buffer {
  const listed = objectSpans(json, rootSpan(json)).get('added_tokens_decoder');
  if (listed === undefined) return json;
  const entries = Object.fromEntries(tokens.map(({ id, text }) => [String(id), { content: text, ...flags }]));
  return Buffer.concat(splice(json, fieldEdits(json, listed, entries)));
}

/** `added_tokens.json`, which slow tokenizers read: spelling to id. */
export function graftAddedTokens(json: Buffer, tokens: readonly VirtualToken[], { renamed }: Placement): Buffer {
  const before: Record<string, unknown> = JSON.parse(json.toString());
  for (const old of renamed.values()) delete before[old];
  for (const { id, text } of tokens) before[text] = id;
  return Buffer.from(`${JSON.stringify(before, null, 2)}\n`);
}

export function graftConfig(json: Buffer, vocabSize: number, untied: boolean): Buffer {
  return withFields(json, { vocab_size: vocabSize, ...(untied ? { tie_word_embeddings: false } : {}) });
}

/**
 * `generation_config.json`, made where there is none: transformers keeps the ids from being generated a second time. Where it has to be made it
 * repeats what `config.json` says of beginnings and ends, which it would hide.
 */
export function graftGenerationConfig(json: Buffer | null, config: Buffer, ids: readonly number[]): Buffer {
  if (json === null) {
    const { bos_token_id, eos_token_id, pad_token_id }: Record<string, unknown> = JSON.parse(config.toString());
    const made = { bos_token_id, eos_token_id, pad_token_id, suppress_tokens: ids };
    return Buffer.from(`${JSON.stringify(made, null, 2)}\n`);
  }
  const before: { suppress_tokens?: unknown } = JSON.parse(json.toString());
  const suppressed = Array.isArray(before.suppress_tokens) ? before.suppress_tokens : [];
  return withFields(json, { suppress_tokens: [...new Set([...suppressed, ...ids])] });
}

/** `model.safetensors.index.json`: the sizes changed, and an output matrix may have come. */
export function graftIndex(json: Buffer, moreBytes: number, headFile: string | null): Buffer {
  const root = objectSpans(json, rootSpan(json));
  const edits: Edit[] = [];
  const map = root.get('weight_map');
  if (map !== undefined && headFile !== null) edits.push(...fieldEdits(json, map, { 'lm_head.weight': headFile }));
  const metadata = root.get('metadata');
  const total = metadata === undefined ? undefined : objectSpans(json, metadata).get('total_size');
  if (metadata !== undefined && total !== undefined) {
    const size = Number(json.toString('utf8', total.start, total.end)) + moreBytes;
    edits.push(...fieldEdits(json, metadata, { total_size: size }));
  }
  return Buffer.concat(splice(json, edits));
}
