import Type from 'typebox';
import { closed } from './common.ts';

export const tracingSchema = Type.Object(
  {
    endpoint: Type.String({
      pattern: '^https?://[^@\\s]+$',
      description: "Where spans are sent: a collector's OTLP address for HTTP, as http://HOST:4318/v1/traces.",
    }),
    sampleRatio: Type.Number({
      minimum: 0,
      maximum: 1,
      default: 1,
      description: 'Share of requests that are traced, of those whose sender has not decided it already.',
    }),
    serviceName: Type.String({ minLength: 1, default: 'preamble', description: 'What the spans say they are of.' }),
  },
  { ...closed, description: 'Traces of requests by OpenTelemetry; without it there are none.' },
);

export type TracingSettings = Type.Static<typeof tracingSchema>;
