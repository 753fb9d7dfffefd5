import { createEngine, type EngineOptions } from '../../src/engine/engine.ts';
import type { Engine, GenerationEvent, GenerationRequest, Usage } from '../../src/engine/generation.ts';
import { greedySampling } from '../../src/engine/sampling/greedy.ts';
import { defaultModelName } from '../../src/model/known-models.ts';
import { openCache } from '../../src/model/obtain/cache.ts';
import { obtainModel } from '../../src/model/obtain/obtain.ts';
import { loadTokenizer, type Tokenizer } from '../../src/model/tokenizer/tokenizer.ts';

/** The real default model on a real engine; the test closes it. */
export async function startDefaultEngine(
  options: Partial<EngineOptions> = {},
): Promise<{ engine: Engine; tokenizer: Tokenizer }> {
  const { directory } = await obtainModel(defaultModelName);
  const tokenizer = await loadTokenizer(directory);
  const engine = await createEngine(
    {
      directory,
      weights: '4-bit',
      cacheDirectory: openCache().root,
      slots: 8,
      queue: 8,
      contextLength: 1024,
      threads: 2,
      ...options,
    },
    () => tokenizer.createIncrementalDecoder(),
  );
  return { engine, tokenizer };
}

export { greedySampling as greedy };

let requests = 0;

export function generationRequest(
  fields: Partial<GenerationRequest> & Pick<GenerationRequest, 'prompt'>,
): GenerationRequest {
  requests++;
  return {
    id: `request-${requests}`,
    sampling: greedySampling,
    maxTokens: 16,
    stop: [],
    ignoreEos: false,
    topLogprobs: null,
    ...fields,
  };
}

export interface Generated {
  text: string;
  tokenIds: number[];
  finishReason: string;
  usage: Usage;
}

export async function collect(events: AsyncIterable<GenerationEvent>): Promise<Generated> {
  let text = '';
  const tokenIds: number[] = [];
  for await (const event of events) {
    if (event.type === 'end') return { text, tokenIds, finishReason: event.finishReason, usage: event.usage };
    text += event.text;
    tokenIds.push(...event.tokens.map((token) => token.tokenId));
  }
  throw new Error('the generation ended without saying so');
}

export const never = new AbortController().signal;
