import Type from 'typebox';
import { closed, seconds, secretSchema } from './common.ts';

/** A conversation that is taken up again a month later is rare, and its text is somebody's. */
const RESPONSE_STATE_SECONDS = 24 * 3600;

/** What gateways share: prompts and their aliases, counters of limits, state of /v1/responses. */
export const redisSchema = Type.Object(
  {
    url: Type.String({
      pattern: '^rediss?(\\+cluster|\\+sentinel)?://[^@]+$',
      description:
        'redis://HOST:PORT/DB, rediss:// for TLS; redis+cluster://HOST:PORT,HOST:PORT; redis+sentinel://HOST:PORT,HOST:PORT/MASTER/DB. No password in it.',
    }),
    username: Type.Optional(Type.String({ minLength: 1, description: 'ACL user.' })),
    password: Type.Optional(secretSchema),
    sentinelUsername: Type.Optional(Type.String({ minLength: 1, description: 'ACL user of the sentinels.' })),
    sentinelPassword: Type.Optional(secretSchema),
    caFile: Type.Optional(Type.String({ minLength: 1, description: 'Certificate authority for rediss://, PEM.' })),
    keyPrefix: Type.String({ default: 'preamble:', description: 'What every key begins with.' }),
    onUnavailable: Type.Enum(['local', 'refuse'], {
      description:
        'What limits do without Redis: each gateway counts for itself, or requests of limited tenants are refused.',
    }),
    responseSeconds: seconds(RESPONSE_STATE_SECONDS, 'How long /v1/responses remembers an answer.'),
  },
  { ...closed, description: 'What several gateways share; without it each is by itself.' },
);

export type RedisSettings = Type.Static<typeof redisSchema>;
