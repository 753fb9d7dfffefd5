import fastifyPlugin from 'fastify-plugin';
import { PreambleError } from '../errors.ts';
import type { Gateway, Snapshot } from '../gateway.ts';
import { everyone, type TenantPolicy } from '../policy/snapshot.ts';
import { tenantOfKey } from '../policy/tenant-of-key.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What held when the request came; it holds for it to its end. */
    snapshot: Snapshot;
    /** Who asks. */
    tenant: TenantPolicy;
  }
  interface FastifyContextConfig {
    /** For probes, which carry no key and learn nothing. */
    withoutKey?: true;
  }
}

/** Whose key a request carries, before its body is read. Nothing but the key says who asks: no other header and no field does. */
export const tenant = fastifyPlugin(
  async (app, { gateway }: { gateway: Gateway }) => {
    // The hook below sets them on every request that a route sees.
    app.decorateRequest('snapshot');
    app.decorateRequest('tenant');

    app.addHook('onRequest', async (request, reply) => {
      const snapshot = gateway.hold();
      request.snapshot = snapshot;
      reply.raw.once('close', () => gateway.release(snapshot));
      const { tenants } = snapshot.policy;
      if (tenants.size === 0 || request.routeOptions.config.withoutKey === true) {
        request.tenant = everyone;
        return;
      }
      const asking = tenantOfKey(tenants, request.headers.authorization);
      if (asking === null) throw noValidKey();
      request.tenant = asking;
    });
  },
  { name: 'tenant', fastify: '5.x' },
);

/** The same whether a key is missing, misspelt or withdrawn. */
function noValidKey(): PreambleError {
  return new PreambleError('invalid_api_key', 'The request holds no valid API key.', {
    action: "Send a key from the gateway's operator as authorization: Bearer KEY.",
  });
}
