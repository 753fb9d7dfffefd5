import type { Dialect } from '../upstream/dialect.ts';
import { openAiRoutes } from '../upstream/openai-routes.ts';
import { commonRefusals, refuseFields } from '../upstream/refused-fields.ts';
import { checkVersion } from './check.ts';

const refused = {
  ...commonRefusals,
  kv_transfer_params: { reason: 'it names caches of other requests', harmless: [] },
  ec_transfer_params: { reason: 'it names caches of other requests', harmless: [] },
};

/** vLLM speaks OpenAI's wire to the letter. */
export const vllmDialect: Dialect = {
  ...openAiRoutes,
  kind: 'vllm',
  checkVersion,
  refuse: (request) => refuseFields(request, refused),
};
