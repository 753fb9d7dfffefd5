import Type from 'typebox';
import { closed, seconds, secretSchema } from './common.ts';

/** A small classifier on a local network takes some tens of milliseconds; what takes longer than this holds answers up. */
const TIMEOUT_SECONDS = 5;

/** What judges answers: those of tenants whose mode is `enforce` are cut and replaced by what it says. */
export const guardSchema = Type.Object(
  {
    kind: Type.Enum(['http'], { description: "An endpoint in the shape of OpenAI's /v1/moderations." }),
    url: Type.String({
      pattern: '^https?://[^@\\s]+$',
      description: 'Where it is asked: http://HOST:PORT/v1/moderations, without a password.',
    }),
    model: Type.Optional(Type.String({ minLength: 1, description: 'What it is to judge with, as it calls it.' })),
    apiKey: Type.Optional(secretSchema),
    timeoutSeconds: seconds(TIMEOUT_SECONDS, 'Longest time for one question.'),
    onUnavailable: Type.Enum(['pass', 'replace'], {
      description: 'What becomes of an answer that it can not be asked about.',
    }),
    holdBack: Type.Enum(['none', 'sentence', 'answer'], {
      default: 'none',
      description:
        'What a stream keeps until it is judged: nothing (it is cut when the verdict comes), each sentence, or the whole answer.',
    }),
    replacement: Type.String({
      maxLength: 4000,
      default: 'This answer was stopped by the content policy of this service.',
      description: 'What the client reads in place of what was cut.',
    }),
  },
  { ...closed, description: 'What judges answers; without it nothing does.' },
);

export type GuardSettings = Type.Static<typeof guardSchema>;
