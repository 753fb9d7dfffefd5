import type { FastifyInstance } from 'fastify';
import type { Gateway } from '../gateway.ts';

/** `/healthz`: the process answers. `/readyz`: it can answer for every model, or 503 with the reason. Probes carry no key. */
export async function healthRoutes(app: FastifyInstance, { gateway }: { gateway: Gateway }): Promise<void> {
  const config = { withoutKey: true } as const;
  app.get('/healthz', { config }, async () => ({ status: 'ok' }));
  app.get('/readyz', { config }, async (_request, reply) => {
    const reasons = app.draining ? ['The gateway is shutting down.'] : gateway.readiness.reasons();
    if (reasons.length === 0) return { status: 'ready' };
    return reply
      .code(503)
      .header('retry-after', '1')
      .send({ status: 'not ready', reason: reasons.join(' ') });
  });
}
