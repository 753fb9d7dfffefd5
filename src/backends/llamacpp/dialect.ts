import Type from 'typebox';
import { Value } from 'typebox/value';
import { type Check, type CheckContext, ok } from '../upstream/check.ts';
import type { Dialect, Served } from '../upstream/dialect.ts';
import { askIfThere, countTokens, discover as discoverByList, findControlTokens } from '../upstream/discovery.ts';
import { refuseContinuation } from '../upstream/refuse-continuation.ts';
import { commonRefusals, type RefusedFields, refuseFields } from '../upstream/refused-fields.ts';
import type { UpstreamServer } from '../upstream/server.ts';
import { askHealth, type ServerCall } from '../upstream/server-json.ts';

const CHOICE = 'it can choose tokens that no model would';
const CUT = 'it decides what is forgotten of the beginning';

const refused: RefusedFields = {
  ...commonRefusals,
  id_slot: { reason: 'it names the cache of another request', harmless: [-1] },
  n_keep: { reason: CUT, harmless: [-1] },
  n_discard: { reason: CUT, harmless: [0] },
  // Of the likeliest tokens XTC keeps the last; an adaptive target of nothing prefers what is least likely.
  xtc_probability: { reason: CHOICE, harmless: [0] },
  adaptive_target: { reason: CHOICE, harmless: [-1] },
};

const open = { additionalProperties: true };
const propsSchema = Type.Object(
  {
    build_info: Type.Optional(Type.String()),
    default_generation_settings: Type.Optional(Type.Object({ n_ctx: Type.Optional(Type.Integer()) }, open)),
  },
  open,
);

/** llama.cpp's own server. Many templates of its show an answer's schema to the model. */
export const llamacppDialect: Dialect = {
  kind: 'llamacpp',
  discover,
  checkVersion,
  findControlTokens: (server, _model, call) =>
    findControlTokens(server, call, {
      body: (content) => ({ content, add_special: false, parse_special: true }),
      count: countTokens,
    }),
  readFields: ['response_format', 'json_schema'],
  refuse(request, surface) {
    refuseFields(request, refused);
    if (surface === 'chat') {
      refuseFields(request, { prompt: { reason: 'the conversation is the prompt', harmless: [] } });
      refuseContinuation(request);
    }
  },
  edits: () => [],
  readAnswer: (answer) => answer,
};

/** What it says of itself; empty where it says nothing. */
async function askProps(server: UpstreamServer, call: ServerCall) {
  const props = await askIfThere(server, '/props', call);
  return Value.Check(propsSchema, props) ? props : {};
}

async function discover(server: UpstreamServer, wanted: string | null, call: ServerCall): Promise<Served> {
  // It answers at once, and with 503 while the model is read.
  await askHealth(server, call);
  const served = await discoverByList(server, wanted, call);
  const { default_generation_settings: settings } = await askProps(server, call);
  // Of one slot: the whole is divided among those that run at a time.
  return { ...served, contextLength: settings?.n_ctx ?? served.contextLength };
}

async function checkVersion({ server, call }: CheckContext): Promise<Check> {
  const { build_info: build } = await askProps(server, call);
  return ok('version', build === undefined ? 'The server does not say its version.' : `llama.cpp ${build}.`);
}
