import { createHash } from 'node:crypto';
import { decodeTorchSave } from '../../src/formats/torch-save/read.ts';
import { readArtifactBytes } from '../../src/prompts/artifact.ts';
import { writePrompt } from '../../src/prompts/artifact-write.ts';
import { type CheckedArtifact, checkArtifact } from '../../src/redis/prompts/artifacts.ts';
import { content, rows } from '../prompts/support/tiny.ts';

export const PROMPT = 'test/kind';

export interface Versions {
  readonly artifacts: ReadonlyMap<string, { readonly digest: string; readonly artifact: CheckedArtifact }>;
  /** The version whose rows a request has in front, looked up by all of their bytes; null for none, or rows that nobody made. */
  of(body: unknown): string | null;
}

/** Versions of one prompt, no two of which have the same rows or as many. */
export async function makePromptVersions(folder: string, versions: readonly string[]): Promise<Versions> {
  const { text: _, ...untold } = content;
  const artifacts = new Map<string, { digest: string; artifact: CheckedArtifact }>();
  const byRows = new Map<string, string>();
  for (const [index, version] of versions.entries()) {
    const tensor = rows(index + 2, (values) => values.set([index], 0));
    const { directory, digest } = await writePrompt(folder, { ...untold, name: PROMPT, version }, tensor);
    const artifact = checkArtifact(await readArtifactBytes(directory), digest, directory);
    artifacts.set(version, { digest, artifact });
    byRows.set(fingerprint(tensor.bytes), version);
  }
  return {
    artifacts,
    of(body) {
      const data = embeddings(body);
      if (data.length !== 1) return null;
      const { tensor } = decodeTorchSave(Buffer.from(data[0] ?? '', 'base64'), 'request');
      return byRows.get(fingerprint(tensor.bytes)) ?? null;
    },
  };
}

function fingerprint(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Every soft prompt in a chat request, wherever it stands. */
function embeddings(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(embeddings);
  if (typeof value !== 'object' || value === null) return [];
  if ('type' in value && value.type === 'prompt_embeds') return 'data' in value ? [String(value.data)] : [''];
  return Object.values(value).flatMap(embeddings);
}
