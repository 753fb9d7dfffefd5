import type { Dialect } from './dialect.ts';
import { countTokens, discover, findControlTokens } from './discovery.ts';

/** What servers share that speak OpenAI's wire to the letter, with vLLM's `/tokenize` beside it. */
export const openAiRoutes: Pick<Dialect, 'discover' | 'findControlTokens' | 'readFields' | 'edits' | 'readAnswer'> = {
  discover,
  findControlTokens: (server, model, call) =>
    findControlTokens(server, call, {
      body: (prompt) => ({ model, prompt, add_special_tokens: false }),
      count: countTokens,
    }),
  readFields: [],
  edits: () => [],
  readAnswer: (answer) => answer,
};
