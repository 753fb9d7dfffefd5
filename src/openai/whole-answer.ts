import { PreambleError } from '../errors.ts';

/** A whole answer of 128 choices with logprobs stays far below; more is not an answer. */
const MAX_WHOLE_BYTES = 64 * 2 ** 20;

/** A model server's whole answer. Throws `upstream_invalid` for one that is too large. */
export async function collectWhole(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_WHOLE_BYTES) {
      throw new PreambleError('upstream_invalid', `The model server's answer has more than ${MAX_WHOLE_BYTES} bytes.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
