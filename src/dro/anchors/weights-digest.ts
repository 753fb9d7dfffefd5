import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Checkpoint } from '../../model/checkpoint.ts';
import { sha256OfFile } from '../../model/obtain/file-digest.ts';

const PROJECTIONS = ['self_attn.q_proj', 'self_attn.v_proj', 'mlp.down_proj'];

/**
 * SHA-256 over the last layer's projections: what tells fine-tunes of one model apart, whose embeddings are often the same. All weights of
 * an 8B model would take a minute to read, these are 1% of them.
 */
export async function weightsDigest({ config, directory, tensor }: Checkpoint): Promise<string> {
  const hash = createHash('sha256');
  for (const projection of PROJECTIONS) {
    const { file, offset: start, length } = tensor(`model.layers.${config.layers - 1}.${projection}.weight`);
    hash.update(await sha256OfFile(join(directory, file), { start, length }));
  }
  return hash.digest('hex');
}
