import { createHash } from 'node:crypto';
import type { SoftPrompt } from '../../prompts/soft-prompt.ts';

/** The start with trained rows in its place. */
export function trainedPrompt(start: SoftPrompt, label: string, values: Float32Array): SoftPrompt {
  const digest = createHash('sha256').update(values).digest('hex');
  return { ...start, label, digest, values };
}
