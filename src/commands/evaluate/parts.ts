import { readFile } from 'node:fs/promises';
import type { AnswerSource } from '../../dro/answers/answer-source.ts';
import { openEngineSource, withoutTemplate } from '../../dro/answers/engine-source.ts';
import { openServerSource } from '../../dro/answers/server-source.ts';
import { createGuard, type Guard } from '../../dro/evaluation/guard.ts';
import type { UnpromptedModel } from '../../dro/evaluation/unprompted.ts';
import type { WeightPrecision } from '../../engine/decoder/weights.ts';
import { PreambleError, toError } from '../../errors.ts';
import { loadChatTemplate } from '../../model/chat/chat-template.ts';
import { loadModelConfig } from '../../model/parse-config.ts';
import { loadTokenizer } from '../../model/tokenizer/tokenizer.ts';
import { assertPromptFits } from '../../prompts/compatibility.ts';
import { identifyModel } from '../../prompts/model-identity.ts';
import type { PromptVersion } from '../../prompts/registry.ts';

export interface PartsOptions {
  weights: WeightPrecision;
  server?: string[] | undefined;
  serverModel?: string | undefined;
  serverKeyFile?: string | undefined;
  judge?: string | undefined;
  judgeModel?: string | undefined;
  judgeKeyFile?: string | undefined;
}

export interface EvaluationParts extends AsyncDisposable {
  source: AnswerSource;
  unprompted: UnpromptedModel;
  guard: Guard | null;
}

/**
 * What answers, and who judges beside the detector, for the model in `directory`. Throws `prompt_mismatch` for a prompt of another model, and what
 * opening these throws.
 */
export async function openParts(
  directory: string,
  prompts: readonly PromptVersion[],
  options: PartsOptions,
  signal: AbortSignal,
): Promise<EvaluationParts> {
  const config = await loadModelConfig(directory);
  const tokenizer = await loadTokenizer(directory);
  const identity = await identifyModel(directory, { config, tokenizer });
  for (const { manifest } of prompts) assertPromptFits(manifest, identity);
  const template = await loadChatTemplate(directory);
  if (template === null) throw withoutTemplate(directory);

  const guard = await openGuard(options);
  const source = await openSource(directory, options, template.traits(false).systemRole, signal);
  return {
    source,
    guard,
    unprompted: { directory, tokenizer, template, contextLength: config.maxPositions },
    async [Symbol.asyncDispose]() {
      await source.close();
      await guard?.close();
    },
  };
}

async function openSource(directory: string, options: PartsOptions, systemRole: boolean, signal: AbortSignal) {
  const { server: urls, serverModel: model = null, serverKeyFile, weights } = options;
  if (urls === undefined) return await openEngineSource(directory, { weights });
  return await openServerSource({ urls, model, apiKey: await readSecret(serverKeyFile), systemRole }, signal);
}

async function openGuard({ judge: url, judgeModel: model, judgeKeyFile }: PartsOptions): Promise<Guard | null> {
  if (url === undefined || model === undefined) return null;
  return createGuard({ url, model, apiKey: await readSecret(judgeKeyFile) });
}

async function readSecret(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw new PreambleError('file_unreadable', `Cannot read ${path}: ${toError(error).message}.`, { cause: error });
  }
}
