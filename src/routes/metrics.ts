import type { FastifyInstance } from 'fastify';
import type { Gateway } from '../gateway.ts';
import { createMetrics } from '../telemetry/metrics.ts';

/** For Prometheus and those who read its format. Counts nothing where there is no operators' listener to ask. */
export async function metricsRoutes(app: FastifyInstance, { gateway }: { gateway: Gateway }): Promise<void> {
  const metrics = createMetrics(gateway);
  app.addHook('onClose', async () => metrics.close());
  app.get('/metrics', async (request, reply) => {
    const { type, text } = await metrics.print(request.headers.accept ?? '');
    return reply.type(type).send(text);
  });
}
