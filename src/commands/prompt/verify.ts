import type { KeyObject } from 'node:crypto';
import { describe, PreambleError } from '../../errors.ts';
import { readPromptTensor } from '../../prompts/artifact.ts';
import { assertPromptFits, type PromptFit } from '../../prompts/compatibility.ts';
import { identifyModel, type ModelIdentity } from '../../prompts/model-identity.ts';
import type { PromptVersion } from '../../prompts/registry.ts';
import { verifySignature } from '../../prompts/signature.ts';
import { type Output, writeResult } from '../output.ts';
import { openPrompts, type ReadOptions } from './directories.ts';
import { readKey } from './keys.ts';
import { modelDirectoryFor } from './model.ts';

export interface VerifyOptions extends ReadOptions {
  model?: string | undefined;
  publicKey?: string | undefined;
}

interface Verdict {
  prompt: string;
  ok: boolean;
  /** Only with `--model`. */
  fit?: PromptFit;
  error?: string;
}

/** Checks everything before it says anything, and fails if one of them does. */
export async function verifyPrompts(
  reference: string | undefined,
  options: VerifyOptions,
  output: Output,
): Promise<void> {
  const registry = await openPrompts(options);
  const chosen = reference === undefined ? registry.versions : [registry.resolve(reference)];
  const broken = reference === undefined ? registry.broken : [];
  const key = options.publicKey === undefined ? null : await readKey(options.publicKey, 'public');
  const model =
    options.model === undefined ? null : await identifyModel(await modelDirectoryFor(options.model, output));

  const verdicts: Verdict[] = [];
  for (const version of chosen) verdicts.push(await judge(version, key, model));
  for (const { label, error } of broken) verdicts.push({ prompt: label, ok: false, error: describe(error) });
  const lines = verdicts.map(({ prompt, fit, error }) => {
    const note = fit === 'sameModelOtherConversion' ? ' (another conversion of the same model)' : '';
    return `${prompt}: ${error ?? `ok${note}`}`;
  });
  writeResult(options.json, verdicts, lines.length === 0 ? 'There are no prompts.' : lines.join('\n'), output);

  const failed = verdicts.filter((verdict) => !verdict.ok).map((verdict) => verdict.prompt);
  if (failed.length > 0) {
    throw new PreambleError('prompt_invalid', `Not usable: ${failed.join(', ')}.`, {
      action: 'Make them again or get fresh copies.',
    });
  }
}

async function judge(version: PromptVersion, key: KeyObject | null, model: ModelIdentity | null): Promise<Verdict> {
  const { directory, label, manifest } = version;
  try {
    await readPromptTensor(directory, manifest);
    if (key !== null) verifySignature(manifest, [key]);
    return { prompt: label, ok: true, ...(model === null ? {} : { fit: assertPromptFits(manifest, model) }) };
  } catch (error) {
    if (!(error instanceof PreambleError)) throw error;
    return { prompt: label, ok: false, error: describe(error) };
  }
}
