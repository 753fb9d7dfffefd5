import { join } from 'node:path';
import type { Test } from 'tap';
import { graftGguf } from '../../../src/graft/gguf/graft-gguf.ts';
import { graftModel } from '../../../src/graft/graft.ts';
import type { Graft, GraftedPrompt } from '../../../src/graft/graft-file.ts';
import { loadChatTemplate } from '../../../src/model/chat/chat-template.ts';
import { encodeChat } from '../../../src/model/chat/encode-chat.ts';
import { defaultModelName } from '../../../src/model/known-models.ts';
import { obtainModel } from '../../../src/model/obtain/obtain.ts';
import { openPromptRegistry, type PromptVersion } from '../../../src/prompts/registry.ts';
import { shippedPromptDirectory } from '../../../src/prompts/shipped.ts';
import { collectLogprobs, startDefaultEngine } from './logprobs.ts';

export const question = 'How do I bake bread without yeast?';

export interface DefaultGraft {
  /** The default model. */
  source: string;
  out: string;
  graft: Graft;
  prompt: PromptVersion;
  grafted: GraftedPrompt;
}

/** The default model with a shipped prompt grafted into it. */
export async function graftDefault(t: Test, format: 'hf' | 'f16' | 'q8_0'): Promise<DefaultGraft> {
  const { directory: source } = await obtainModel(defaultModelName);
  const prompt = (await openPromptRegistry([shippedPromptDirectory])).resolve('smollm2-135m/careful');
  const out = join(t.testdir(), 'smollm2-grafted');
  const request = { source, prompts: [prompt], out, copy: 'link', dryRun: false } as const;
  const { graft } = await (format === 'hf' ? graftModel(request) : graftGguf({ ...request, type: format }));
  const [grafted] = graft?.prompts ?? [];
  if (graft === null || grafted === undefined) throw new Error('nothing was grafted');
  t.comment(
    `figure: graft of the default model (${format}), worst margin ${graft.margin.worst.toFixed(1)} over ${graft.margin.positions} positions`,
  );
  return { source, out, graft, prompt, grafted };
}

/** What the embedded engine answers to the question under the soft prompt itself: greedy tokens with their logprobs. */
export async function embeddedLogprobs(t: Test, { source, prompt }: DefaultGraft, tokens: number) {
  const { engine, tokenizer } = await startDefaultEngine({ weights: 'float32', slots: 1 });
  t.teardown(() => engine.close());
  const template = await loadChatTemplate(source);
  if (template === null) throw new Error('the default model has a template');
  const segments = encodeChat(tokenizer, template, [{ role: 'user', content: question }], {
    softPrompt: await prompt.load(),
    position: 'system',
    addGenerationPrompt: true,
  });
  return await collectLogprobs(engine, segments, tokens);
}
