import Type from 'typebox';
import { closed } from './common.ts';

const limit = (description: string) => Type.Optional(Type.Integer({ minimum: 1, maximum: 1e12, description }));

const promptOfModel = Type.Union([Type.String({ minLength: 1 }), Type.Null()], {
  description: 'Its soft prompt for this model: name, name@version, or null for none.',
});

/** Whoever has one of its keys. */
export const tenantSchema = Type.Object(
  {
    id: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$', description: 'Its name in logs and counters.' }),
    keys: Type.Array(Type.String({ pattern: '^sha256:[0-9a-f]{64}$' }), {
      minItems: 1,
      description: 'SHA-256 of its API keys, as preamble key new prints them. The keys themselves stand nowhere.',
    }),
    models: Type.Array(Type.String({ minLength: 1 }), {
      default: ['*'],
      description: 'Names of models that it may use; a * stands for any characters.',
    }),
    prompts: Type.Record(Type.String({ minLength: 1 }), promptOfModel, {
      default: {},
      description: "By model: another soft prompt than the model's own (name, name@version), or null for none.",
    }),
    mode: Type.Enum(['monitor', 'enforce'], {
      default: 'monitor',
      description:
        'monitor logs decisions, and what the guard would have done; enforce also replaces the answers that it rejects.',
    }),
    limits: Type.Object(
      {
        requestsPerMinute: limit('Most requests in a minute.'),
        tokensPerMinute: limit('Most tokens, of prompts and answers together, in a minute.'),
        streams: limit('Most answers under way at a time.'),
      },
      { ...closed, default: {}, description: 'What it may use at most; what is not named has no limit.' },
    ),
    traffic: Type.Enum(['mixed', 'harmless', 'harmful'], {
      default: 'mixed',
      description: 'What all of its requests are known to be, for conditions of rollouts (refusal-rate on harmless).',
    }),
    logContent: Type.Boolean({ default: false, description: 'Log what it asks and gets, word for word.' }),
  },
  closed,
);

export type TenantSettings = Type.Static<typeof tenantSchema>;
