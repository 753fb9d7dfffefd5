import { promptLabelOf } from '../policy/decide-plan.ts';
import type { Plan } from '../policy/plan.ts';
import type { AnswerSummary, RequestFinished } from './observations.ts';
import type { Operation } from './tracing.ts';

export type SpanAttributes = Record<string, string | number | boolean | string[]>;

/** By OpenTelemetry's conventions for generative AI; what they have no name for is Preamble's own. Never a text of prompt or answer. */
export function modelAttributes(operation: Operation, plan: Plan): SpanAttributes {
  return {
    'gen_ai.operation.name': operation,
    'gen_ai.provider.name': plan.backend === 'embedded' ? 'preamble' : plan.backend,
    'gen_ai.request.model': plan.model,
    'preamble.prompt': promptLabelOf(plan),
    'preamble.variant': plan.variant,
    'preamble.mode': plan.mode,
  };
}

export function summaryAttributes({ stream, usage, decisions, upstreamFirstTokenMs, gatewayMs }: AnswerSummary) {
  const reasons = decisions.flatMap(({ finishReason }) => (finishReason === null ? [] : [finishReason]));
  const attributes: SpanAttributes = {
    'gen_ai.request.stream': stream,
    'gen_ai.response.finish_reasons': reasons,
    'preamble.decisions': decisions.map(({ decision }) => decision),
    'preamble.gateway_ms': gatewayMs,
  };
  if (usage !== null) {
    attributes['gen_ai.usage.input_tokens'] = usage.prompt_tokens;
    attributes['gen_ai.usage.output_tokens'] = usage.completion_tokens;
  }
  if (stream && upstreamFirstTokenMs !== null) {
    attributes['gen_ai.response.time_to_first_chunk'] = upstreamFirstTokenMs / 1000;
  }
  return attributes;
}

/** By OpenTelemetry's conventions for HTTP servers. The path is the route's: what stands in its place may be an answer's id, or anything. */
export function requestAttributes({ requestId, method, route, status, result, tenant }: RequestFinished) {
  const attributes: SpanAttributes = {
    'http.request.method': method,
    'http.response.status_code': status,
    'preamble.request_id': requestId,
    'preamble.result': result,
  };
  if (route !== null) attributes['http.route'] = route;
  if (tenant !== null) attributes['preamble.tenant'] = tenant;
  return attributes;
}
