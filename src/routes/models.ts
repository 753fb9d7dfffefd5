import type { FastifyInstance } from 'fastify';
import { findModel, namesFor } from '../policy/find-model.ts';

/** The models that may be asked for: those that the configuration names, in its order, their aliases, and the servers' adapters. */
export async function modelRoutes(app: FastifyInstance): Promise<void> {
  const created = Math.floor(Date.now() / 1000);
  const entry = (id: string) => ({ id, object: 'model', created, owned_by: 'preamble' });

  app.get('/v1/models', async (request) => {
    const { policy, backends } = request.snapshot;
    return { object: 'list', data: namesFor(policy, backends, request.tenant).map(entry) };
  });
  // A wildcard, as ids may hold slashes.
  app.get<{ Params: { '*': string } }>('/v1/models/*', async (request) => {
    const id = request.params['*'];
    const { policy, backends } = request.snapshot;
    findModel(id, policy, backends, request.tenant);
    return entry(id);
  });
}
