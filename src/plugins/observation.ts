import fastifyPlugin from 'fastify-plugin';
import { promptLabelOf } from '../policy/decide-plan.ts';
import type { Observations, RequestFinished } from '../telemetry/observations.ts';
import type { RequestTrace, Tracing } from '../telemetry/tracing.ts';
import { type ObservedRequest, observeRequest } from '../telemetry/observed-request.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What is learnt of it on its way. */
    observed: ObservedRequest;
    /** Null where nothing is traced. */
    trace: RequestTrace | null;
  }
}

/** Tells what was asked and what came of it, once a request, however that ended: to the log and to whoever has subscribed. */
export const observation = fastifyPlugin(
  async (app, { observations, tracing }: { observations: Observations; tracing: Tracing | null }) => {
    app.decorateRequest('observed');
    app.decorateRequest('trace', null);
    app.addHook('onRequest', (request, reply, done) => {
      // Never the query: people put keys there.
      const path = request.url.split('?', 1)[0];
      const trace = tracing?.begin(request.headers, request.arrivedAt) ?? null;
      request.trace = trace;
      request.observed = observeRequest(observations, (finished) => {
        app.log.info(requestRecord(finished, path), 'request answered');
        trace?.finished(finished);
      });
      reply.raw.once('close', () => {
        request.observed.closed({
          requestId: request.id,
          method: request.method,
          route: request.routeOptions.url ?? null,
          status: reply.raw.headersSent ? reply.raw.statusCode : null,
          complete: reply.raw.writableFinished,
          tenant: request.tenant?.id ?? null,
          totalMs: performance.now() - request.arrivedAt,
        });
      });
      done();
    });
  },
  { name: 'observation', dependencies: ['timing'], fastify: '5.x' },
);

/** One line a request. */
function requestRecord(
  { requestId, method, status, result, fault, tenant, plan, totalMs }: RequestFinished,
  path?: string,
) {
  return {
    event: 'request',
    requestId,
    method,
    path,
    status,
    result,
    code: fault,
    tenant,
    model: plan?.model ?? null,
    prompt: plan === null ? null : promptLabelOf(plan),
    variant: plan?.variant ?? null,
    ms: Math.round(totalMs),
  };
}
