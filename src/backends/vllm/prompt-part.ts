import { encodeTorchSaveBase64 } from '../../formats/torch-save/write.ts';
import type { StoredSoftPrompt } from '../../prompts/soft-prompt.ts';

const parts = new WeakMap<StoredSoftPrompt, Buffer>();

/** A soft prompt as vLLM's content part, in JSON: made once, and spliced into every request as it is. */
export function promptPart(prompt: StoredSoftPrompt): Buffer {
  let part = parts.get(prompt);
  if (part === undefined) {
    const { tokens: rows, hiddenSize: columns, stored } = prompt;
    const data = encodeTorchSaveBase64({ dtype: stored.dtype, rows, columns, bytes: stored.bytes });
    part = Buffer.concat([Buffer.from('{"type":"prompt_embeds","data":"'), data, Buffer.from('"}')]);
    parts.set(prompt, part);
  }
  return part;
}

/** A text as a content part, in JSON. */
export function textPart(text: string): Buffer {
  return Buffer.from(JSON.stringify({ type: 'text', text }));
}
