import type { PromptSegment } from '../../engine/generation.ts';
import { encodeChat } from '../../model/chat/encode-chat.ts';
import type { PromptVersion } from '../../prompts/registry.ts';
import { type Check, type CheckContext, failed, ok } from '../upstream/check.ts';
import type { LocalModel } from '../upstream/local-model.ts';
import { describeProbe, isSame, type ProbeAnswer, readProbe } from '../upstream/probe-answer.ts';
import { postJson } from '../upstream/server-json.ts';
import { checkTaken } from './check.ts';
import { embedInput } from './embedded-input.ts';

const QUESTION = 'What is the capital of France?';

/**
 * Whether the completions wire does what it is meant to: a prompt is taken, and a conversation as embeddings of the model directory's
 * means to the server what its token ids do. Throws `upstream_*` where the server cannot be asked.
 */
export async function checkOnCompletions(
  context: CheckContext,
  local: LocalModel,
  prompt: PromptVersion,
): Promise<Check[]> {
  const rows = await prompt.load();
  const withPrompt = conversation(local, rows);
  const { check, answer } = await checkTaken(rows.label, rows.hiddenSize, () =>
    askEmbedded(context, local, withPrompt),
  );
  if (answer === null) return [check];
  const plain = conversation(local, null);
  const ids = plain.flatMap((segment) => ('tokens' in segment ? segment.tokens : []));
  const [embedded, spoken] = [await askEmbedded(context, local, plain), await ask(context, { prompt: ids })];
  const name = 'same as text';
  if (isSame(embedded, spoken)) return [check, ok(name, `Equal: ${describeProbe(embedded)}.`)];
  const finding = `Not equal: embeddings ${describeProbe(embedded)}, token ids ${describeProbe(spoken)}.`;
  return [check, failed(name, finding, 'The model directory holds another model than the server does.')];
}

function conversation({ tokenizer, template }: LocalModel, softPrompt: Parameters<typeof encodeChat>[3]['softPrompt']) {
  const messages = [{ role: 'user', content: QUESTION }];
  if (template === null) return [{ tokens: tokenizer.encode(QUESTION) }];
  return encodeChat(tokenizer, template, messages, { softPrompt, position: 'system', addGenerationPrompt: true });
}

async function askEmbedded(context: CheckContext, local: LocalModel, segments: readonly PromptSegment[]) {
  return await ask(context, { prompt_embeds: embedInput(segments, local.embeddings).toString('latin1') });
}

async function ask({ server, model, call }: CheckContext, input: object): Promise<ProbeAnswer> {
  const body = { model, ...input, max_tokens: 1, temperature: 0, logprobs: 1 };
  return readProbe(await postJson(server, '/v1/completions', body, call), server.url);
}
