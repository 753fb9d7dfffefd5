import type { FastifyInstance } from 'fastify';
import type { Gateway } from '../gateway.ts';
import { modelNotFound } from '../policy/decide-plan.ts';

/** The models that the configuration names, in its order. */
export async function modelRoutes(app: FastifyInstance, { gateway }: { gateway: Gateway }): Promise<void> {
  const created = Math.floor(Date.now() / 1000);
  const names = [...gateway.backends.keys()];
  const entry = (id: string) => ({ id, object: 'model', created, owned_by: 'preamble' });

  app.get('/v1/models', async () => ({ object: 'list', data: names.map(entry) }));
  // A wildcard, as ids may hold slashes.
  app.get<{ Params: { '*': string } }>('/v1/models/*', async (request) => {
    const id = request.params['*'];
    if (!names.includes(id)) throw modelNotFound(id, names);
    return entry(id);
  });
}
