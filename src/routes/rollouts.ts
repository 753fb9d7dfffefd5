import type { FastifyInstance } from 'fastify';
import type { Gateway } from '../gateway.ts';

/** For operators: every rollout, what came of it on all gateways together, and what speaks against its candidate. */
export async function rolloutRoutes(app: FastifyInstance, { gateway }: { gateway: Gateway }): Promise<void> {
  app.get('/rollouts', async () => ({ rollouts: (await gateway.rollouts?.statuses()) ?? [] }));
}
