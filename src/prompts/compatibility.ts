import { PreambleError } from '../errors.ts';
import type { PromptManifest } from './manifest.ts';
import type { ModelIdentity } from './model-identity.ts';
import { promptLabel, quote } from './name.ts';

/**
 * `sameEmbeddings`: made for exactly these embeddings. `sameModelOtherConversion`: for another conversion of the same released model (say
 * its bfloat16 file against a GGUF's 8-bit embeddings), whose rows differ by rounding only; worth one line in the log.
 */
export type PromptFit = 'sameEmbeddings' | 'sameModelOtherConversion';

/** What must be equal whatever the conversion, with the words for it. */
const fields = {
  architecture: 'the architecture',
  hiddenSize: 'the hidden size',
  vocabSize: 'the size of the vocabulary',
  tokenizerSha256: "the vocabulary's digest",
} as const satisfies Partial<Record<keyof PromptManifest['model'], string>>;

const names = ['architecture', 'hiddenSize', 'vocabSize', 'tokenizerSha256'] as const satisfies (keyof typeof fields)[];

/** A soft prompt is points in one model's embedding space and means nothing in another's. Throws `prompt_mismatch`. */
export function assertPromptFits(manifest: PromptManifest, model: ModelIdentity): PromptFit {
  const made = manifest.model;
  for (const name of names) {
    if (made[name] !== model[name]) throw mismatch(manifest, model, fields[name], made[name], model[name]);
  }
  if (made.embeddingsSha256 === model.embeddingsSha256) return 'sameEmbeddings';
  if (model.idIsVerified && made.id.toLowerCase() === model.id.toLowerCase()) return 'sameModelOtherConversion';
  throw mismatch(manifest, model, "the embeddings' digest", made.embeddingsSha256, model.embeddingsSha256);
}

function mismatch(
  manifest: PromptManifest,
  model: ModelIdentity,
  what: string,
  made: string | number,
  found: string | number,
): PreambleError {
  const label = promptLabel(manifest.name, manifest.version);
  return new PreambleError(
    'prompt_mismatch',
    `${label} was made for ${quote(manifest.model.id)} and does not fit ${quote(model.id)}: ${what} is ${shorten(made)} there, ${shorten(found)} here.`,
    { action: 'Choose a prompt that was made for this model, or make one: preamble prompt from-text.' },
  );
}

/** Digests are told apart by their first digits. */
function shorten(value: string | number): string {
  return typeof value === 'string' && value.length > 16 ? `${value.slice(0, 12)}…` : String(value);
}
