import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Gateway } from '../gateway.ts';
import { refusedModels } from '../policy/refused-models.ts';

interface HealthOptions {
  readonly gateway: Gateway;
  /** Whether who asks may read why: reasons name models and servers. */
  mayReadReasons(request: FastifyRequest): boolean;
}

/** `/healthz`: the process answers. `/readyz`: it can answer for every model, or 503 with the reason. While draining, `cancellation` answers 503. Probes carry no key. */
export async function healthRoutes(app: FastifyInstance, { gateway, mayReadReasons }: HealthOptions): Promise<void> {
  const config = { withoutKey: true } as const;
  app.get('/healthz', { config }, async () => ({ status: 'ok' }));
  app.get('/readyz', { config }, async (request, reply) => {
    const { readiness } = gateway;
    const because = (sentences: readonly string[]) => (mayReadReasons(request) ? { reason: sentences.join(' ') } : {});
    const reasons = [...readiness.reasons(), ...refusedModels(gateway.current().policy)];
    if (reasons.length === 0) {
      const degradations = readiness.degradations();
      // Still 200: requests are answered, and taking every gateway out at once because one Redis is gone would end that.
      return degradations.length === 0 ? { status: 'ready' } : { status: 'degraded', ...because(degradations) };
    }
    return reply
      .code(503)
      .header('retry-after', '1')
      .send({ status: 'not ready', ...because(reasons) });
  });
}
