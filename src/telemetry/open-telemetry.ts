import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api';
import { setGlobalErrorHandler, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import type { TracingSettings } from '../config/schema/tracing.ts';
import { toError } from '../errors.ts';
import { version } from '../version.ts';
import type { AnswerSummary, RequestFinished } from './observations.ts';
import { modelAttributes, requestAttributes, summaryAttributes } from './span-attributes.ts';
import type { Tracing } from './tracing.ts';

/** So long a collector that does not answer may keep the process from ending. */
const CLOSE_MS = 3_000;
/** A collector that is away is told of once in this time. */
const COMPLAIN_EVERY_MS = 60_000;

/** Reads the headers of a request as Node has them. */
const getter: TextMapGetter<NodeJS.Dict<string | string[]>> = {
  keys: (headers) => Object.keys(headers),
  get: (headers, key) => headers[key],
};

/** Spans by W3C's and OpenTelemetry's rules, sent to a collector over OTLP in the background. */
export function startTracing({ endpoint, sampleRatio, serviceName }: TracingSettings, logger: Logger): Tracing {
  const propagator = new W3CTraceContextPropagator();
  const exporter = new OTLPTraceExporter({ url: endpoint });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName, 'service.version': version }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer('preamble', version);
  complainTo(logger);

  return {
    begin(headers, arrivedAt) {
      const parent = propagator.extract(ROOT_CONTEXT, headers, getter);
      const span = tracer.startSpan('HTTP', { kind: SpanKind.SERVER, startTime: wallClock(arrivedAt) }, parent);
      const context = trace.setSpan(parent, span);
      let asked: Span | null = null;
      return {
        asking(operation, plan) {
          const attributes = modelAttributes(operation, plan);
          // One that runs in this process is no other's, whatever its wire.
          const kind = plan.backend === 'embedded' ? SpanKind.INTERNAL : SpanKind.CLIENT;
          asked = tracer.startSpan(`${operation} ${plan.model}`, { kind, attributes }, context);
          return carriers(propagator, trace.setSpan(context, asked));
        },
        finished(event) {
          const { answer } = event;
          if (asked !== null) {
            if (answer !== null) asked.setAttributes(summaryAttributes(answer));
            close(asked, event, endOf(arrivedAt, answer));
          }
          span.updateName(event.route === null ? event.method : `${event.method} ${event.route}`);
          span.setAttributes(requestAttributes(event));
          close(span, event, undefined);
        },
      };
    },
    async close() {
      const ended = Promise.allSettled([provider.shutdown()]);
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, CLOSE_MS);
      await Promise.race([ended, late.promise]);
      clearTimeout(timer);
    },
  };
}

/** What failed has an error; what a client asked wrongly, or gave up, has its code alone (semantic conventions for HTTP servers). */
function close(span: Span, { result, fault }: RequestFinished, endTime: number | undefined): void {
  if (fault !== null) span.setAttribute('error.type', fault);
  if (result === 'failed') span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(endTime);
}

function carriers(propagator: W3CTraceContextPropagator, context: Context): Record<string, string> {
  const headers: Record<string, string> = {};
  propagator.inject(context, headers, {
    set(into, key, value) {
      into[key] = value;
    },
  });
  return headers;
}

function endOf(arrivedAt: number, answer: AnswerSummary | null): number | undefined {
  return answer === null ? undefined : wallClock(arrivedAt + answer.totalMs);
}

/** Milliseconds since 1970. */
function wallClock(moment: number): number {
  return performance.timeOrigin + moment;
}

function complainTo(logger: Logger): void {
  let complained = Number.NEGATIVE_INFINITY;
  setGlobalErrorHandler((thrown) => {
    if (performance.now() - complained < COMPLAIN_EVERY_MS) return;
    complained = performance.now();
    // Without a stack, which says nothing, and without the collector's own words.
    const reason = typeof thrown === 'string' ? thrown : toError(thrown).name;
    logger.warn({ event: 'tracing.failed', reason }, 'spans could not be sent');
  });
}
