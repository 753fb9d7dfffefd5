import { basename } from 'node:path';
import { readExactly, withFile } from './file-ranges.ts';
import { invalidGguf } from './gguf/cursor.ts';
import { type GgufHeader, parseGgufHeader } from './gguf/header.ts';

export type { GgufHeader, GgufTensor } from './gguf/header.ts';
export type { GgufValue } from './gguf/metadata.ts';

/** Room for the tokenizer of a 260,000-token vocabulary (about 15 MB); what a hostile header may make us read stays bounded. */
const MAX_HEADER_BYTES = 64 * 1024 * 1024;

/**
 * The metadata of a local GGUF file and where each tensor lies. Throws `file_unreadable` or `format_invalid`.
 * Not `@huggingface/gguf`: it pads what it reads with zeros up to its 2 MB chunks, so a truncated file passes, and it checks neither
 * duplicate keys nor where the tensors lie.
 */
export async function readGgufHeader(path: string): Promise<GgufHeader> {
  const name = basename(path);
  return await withFile(path, async (file, fileSize) => {
    const bytes = new Uint8Array(Math.min(fileSize, MAX_HEADER_BYTES));
    if (!(await readExactly(file, bytes, 0))) throw invalidGguf(name, 'it ended while being read');
    return parseGgufHeader(bytes, fileSize, name);
  });
}
