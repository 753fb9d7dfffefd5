import { availableParallelism } from 'node:os';
import { createEngine } from '../../engine/engine.ts';
import { greedySampling } from '../../engine/sampling/greedy.ts';
import { encodeChat } from '../../model/chat/encode-chat.ts';
import { openCheckpoint } from '../../model/checkpoint.ts';
import { openCache } from '../../model/obtain/cache.ts';
import type { Reference, SpokenToken } from '../upstream/check.ts';
import type { LocalModel } from '../upstream/local-model.ts';

/** Weights are held in float32 for this one answer. More memory is not asked of the machine that a gateway runs on. */
const MAX_BYTES = 8 * 2 ** 30;
const CONTEXT = 4096;
const TOP = 20;
/** A model that is computed here, in full precision, to hold a server against. Null for one that is too large, or has no chat template. */
export async function startReference(local: LocalModel): Promise<(Reference & AsyncDisposable) | null> {
  const { directory, tokenizer, template } = local;
  if (template === null || (await weightBytes(directory)) > MAX_BYTES) return null;
  const engine = await createEngine(
    {
      directory,
      cacheDirectory: openCache().root,
      weights: 'float32',
      slots: 1,
      queue: 1,
      contextLength: CONTEXT,
      threads: availableParallelism(),
    },
    () => tokenizer.createIncrementalDecoder(),
  );
  return {
    async ask(softPrompt, position, question) {
      const messages = [{ role: 'user', content: question }];
      const prompt = encodeChat(tokenizer, template, messages, { softPrompt, position, addGenerationPrompt: true });
      const request = {
        id: 'reference',
        prompt,
        sampling: greedySampling,
        maxTokens: 1,
        stop: [],
        ignoreEos: true,
        topLogprobs: TOP,
      };
      const spoken: SpokenToken[] = [];
      for await (const event of engine.generate(request, new AbortController().signal)) {
        if (event.type !== 'text') continue;
        const [first] = event.tokens;
        const top = first === undefined ? [] : [first, ...first.top];
        spoken.push(...top.map(({ tokenId, logprob }) => ({ text: tokenizer.tokenText(tokenId), logprob })));
      }
      return spoken;
    },
    [Symbol.asyncDispose]: () => engine.close(),
  };
}

/** In float32. */
async function weightBytes(directory: string): Promise<number> {
  const { tensors } = await openCheckpoint(directory);
  return [...tensors.values()].reduce((sum, { shape }) => sum + 4 * shape.reduce((size, side) => size * side, 1), 0);
}
