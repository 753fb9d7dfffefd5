import type { Dialect } from '../upstream/dialect.ts';
import { countTokens, discover, findControlTokens } from '../upstream/discovery.ts';
import { commonRefusals, refuseFields } from '../upstream/refused-fields.ts';
import { checkVersion } from './check.ts';

const refused = {
  ...commonRefusals,
  kv_transfer_params: { reason: 'it names caches of other requests', harmless: [] },
  ec_transfer_params: { reason: 'it names caches of other requests', harmless: [] },
};

/** vLLM speaks OpenAI's wire to the letter. */
export const vllmDialect: Dialect = {
  kind: 'vllm',
  discover,
  checkVersion,
  findControlTokens: (server, model, call) =>
    findControlTokens(server, call, {
      body: (prompt) => ({ model, prompt, add_special_tokens: false }),
      count: countTokens,
    }),
  readFields: [],
  refuse: (request) => refuseFields(request, refused),
  edits: () => [],
  readAnswer: (answer) => answer,
};
