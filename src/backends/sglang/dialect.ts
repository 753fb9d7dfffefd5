import Type from 'typebox';
import { Value } from 'typebox/value';
import { type Check, type CheckContext, ok } from '../upstream/check.ts';
import type { Dialect } from '../upstream/dialect.ts';
import { askIfThere } from '../upstream/discovery.ts';
import { openAiRoutes } from '../upstream/openai-routes.ts';
import { commonRefusals, type RefusedFields, refuseFields } from '../upstream/refused-fields.ts';

const OTHERS = 'it names what belongs to other requests';
const INPUT = 'it would stand in the place of the conversation';

const refused: RefusedFields = {
  ...commonRefusals,
  // Ids that it takes instead of the rendered messages.
  input_ids: { reason: INPUT, harmless: [] },
  input_embeds: { reason: INPUT, harmless: [] },
  custom_logit_processor: { reason: 'it is code to run', harmless: [] },
  custom_params: { reason: 'it is for code that runs', harmless: [] },
  session_params: { reason: OTHERS, harmless: [] },
  session_id: { reason: OTHERS, harmless: [] },
  bootstrap_host: { reason: OTHERS, harmless: [] },
  bootstrap_port: { reason: OTHERS, harmless: [] },
  bootstrap_room: { reason: OTHERS, harmless: [] },
  lora_path: { reason: 'an adapter is asked for by its name, as the model', harmless: [] },
};

const infoSchema = Type.Object({ version: Type.String() }, { additionalProperties: true });
/** By its older and its newer name. */
const INFO_PATHS = ['/get_server_info', '/server_info'];

/** SGLang's OpenAI routes. */
export const sglangDialect: Dialect = {
  ...openAiRoutes,
  kind: 'sglang',
  checkVersion,
  refuse: (request) => refuseFields(request, refused),
};

async function checkVersion({ server, call }: CheckContext): Promise<Check> {
  for (const path of INFO_PATHS) {
    const info = await askIfThere(server, path, call);
    if (Value.Check(infoSchema, info)) return ok('version', `SGLang ${info.version}.`);
  }
  return ok('version', 'The server does not say its version.');
}
