import fastifyPlugin from 'fastify-plugin';
import type { Gateway } from '../gateway.ts';
import { everyone, type TenantPolicy } from '../policy/snapshot.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks. */
    tenant: TenantPolicy;
  }
}

/** Whose key a request carries. */
export const tenant = fastifyPlugin(
  async (app, _options: { gateway: Gateway }) => {
    app.decorateRequest('tenant', { getter: () => everyone });
  },
  { name: 'tenant', fastify: '5.x' },
);
