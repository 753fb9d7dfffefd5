import { fileURLToPath } from 'node:url';
import { type GgufHeader, type GgufTensor, type GgufValue, readGgufHeader } from '../../../src/formats/gguf.ts';

export const ggufFixture = (model: string) =>
  fileURLToPath(new URL(`../../fixtures/gguf/${model}.gguf`, import.meta.url));

/** The header of a recorded file with some values or tensors replaced, or (null) taken away. */
export async function alteredHeader(
  model: string,
  values: Record<string, GgufValue | null>,
  tensors: Record<string, GgufTensor | null> = {},
): Promise<GgufHeader> {
  const header = await readGgufHeader(ggufFixture(model));
  return { metadata: replaced(header.metadata, values), tensors: replaced(header.tensors, tensors) };
}

function replaced<Value>(map: ReadonlyMap<string, Value>, changes: Record<string, Value | null>): Map<string, Value> {
  const result = new Map(map);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) result.delete(key);
    else result.set(key, value);
  }
  return result;
}
