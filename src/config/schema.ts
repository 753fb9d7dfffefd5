import Type from 'typebox';
import { defaultModelName } from '../model/known-models.ts';
import { backendSchema } from './schema/backend.ts';
import { closed, seconds, secretOf } from './schema/common.ts';
import { guardSchema } from './schema/guard.ts';
import { redisSchema } from './schema/redis.ts';
import { rolloutsSchema } from './schema/rollouts.ts';
import { tenantSchema } from './schema/tenant.ts';
import { tracingSchema } from './schema/tracing.ts';

/** 4 MiB: some million tokens of chat, far beyond any context length, and little enough to hold for many requests at once. */
const DEFAULT_BODY_BYTES = 4 * 2 ** 20;
/** Bodies are held whole; a gateway that took more would be easy to fill up. */
const MAX_BODY_BYTES = 256 * 2 ** 20;
/** An answer of several thousand tokens on a slow machine takes minutes; none takes an hour. */
const DEFAULT_REQUEST_SECONDS = 600;
/** A client that has not read for this long has most likely gone without saying so. */
const DEFAULT_STALLED_CLIENT_SECONDS = 30;
/** Kubernetes sends SIGKILL 30 seconds after SIGTERM unless told otherwise; be gone before. */
const DEFAULT_DRAIN_SECONDS = 25;

const listenSchema = Type.Object(
  {
    host: Type.String({ minLength: 1, default: '127.0.0.1', description: 'Address to listen on.' }),
    port: Type.Integer({ minimum: 0, maximum: 65535, default: 8080, description: '0 takes any free port.' }),
  },
  { ...closed, default: {}, description: 'Where applications reach the gateway.' },
);

export const modelSchema = Type.Object(
  {
    prompt: Type.Union([Type.String({ minLength: 1 }), Type.Null()], {
      description: 'The soft prompt: name, name@version, or null for none.',
    }),
    onPromptUnavailable: Type.Enum(['refuse', 'text', 'none'], {
      description: "What happens without the soft prompt: refuse requests, send the prompt's text, or send nothing.",
    }),
    aliases: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description: 'Further names for it, as gpt-4o for an application that can not name another.',
    }),
    backend: backendSchema,
  },
  { ...closed, description: 'One model: its soft prompt, and what answers.' },
);

/** Paths whose bodies name a model and that are handed on as they are, without a prompt and without a decision. */
const passThroughPath = Type.String({ pattern: '^/v1/[a-z0-9/_-]+$' });

/** A listener of its own, so that a firewall can tell operators from applications. */
const adminSchema = Type.Object(
  {
    host: Type.String({ minLength: 1, default: '127.0.0.1', description: 'Address for operators.' }),
    port: Type.Integer({ minimum: 0, maximum: 65535, default: 8081, description: '0 takes any free port.' }),
    password: Type.Optional(
      secretOf(
        'What operators are asked for, by HTTP Basic: { env: NAME } or { file: PATH }. None: whoever reaches it may look.',
      ),
    ),
  },
  { ...closed, description: 'A listener for operators; without it there is none.' },
);

const limitsSchema = Type.Object(
  {
    bodyBytes: Type.Integer({
      minimum: 1024,
      maximum: MAX_BODY_BYTES,
      default: DEFAULT_BODY_BYTES,
      description: 'Largest request body.',
    }),
    requestSeconds: seconds(DEFAULT_REQUEST_SECONDS, 'Longest time that one answer may take.'),
    stalledClientSeconds: seconds(DEFAULT_STALLED_CLIENT_SECONDS, 'A stream that nobody reads is cut after this time.'),
    drainSeconds: seconds(DEFAULT_DRAIN_SECONDS, 'How long running answers may go on after SIGTERM.'),
  },
  { ...closed, default: {}, description: 'What one request may take, and how long stopping may.' },
);

const logSchema = Type.Object(
  {
    level: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
      default: 'info',
      description: 'Least important level that is logged.',
    }),
    content: Type.Boolean({ default: false, description: 'Log what is asked and answered, word for word.' }),
  },
  { ...closed, default: {}, description: 'What is written to the log.' },
);

/** `preamble.yaml`: the one description of it, from which types, defaults, checks and `preamble config schema` come. */
export const configSchema = Type.Object(
  {
    listen: listenSchema,
    models: Type.Record(Type.String({ minLength: 1 }), modelSchema, {
      minProperties: 1,
      default: {
        [defaultModelName]: {
          prompt: 'smollm2-135m/dro',
          onPromptUnavailable: 'refuse',
          // The sampling that its authors recommend; at OpenAI's temperature of 1 so small a model rambles.
          backend: { kind: 'embedded', model: defaultModelName, sampling: { temperature: 0.2, topP: 0.9 } },
        },
      },
      description: 'By the name that clients use.',
    }),
    promptDirectories: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description: 'Where soft prompts are, besides those that are shipped; relative to this file.',
    }),
    passThrough: Type.Array(passThroughPath, {
      default: [],
      description: 'Further paths that are handed on to the model servers untouched, as /v1/embeddings.',
    }),
    tenants: Type.Array(tenantSchema, {
      default: [],
      description: 'Who may use the gateway. None: everyone who reaches it, so it listens on loopback only.',
    }),
    guard: Type.Optional(guardSchema),
    redis: Type.Optional(redisSchema),
    rollouts: Type.Optional(rolloutsSchema),
    admin: Type.Optional(adminSchema),
    tracing: Type.Optional(tracingSchema),
    limits: limitsSchema,
    log: logSchema,
  },
  { ...closed, default: {} },
);

export type Config = Type.Static<typeof configSchema>;
export type Limits = Type.Static<typeof limitsSchema>;
export type LogSettings = Type.Static<typeof logSchema>;
