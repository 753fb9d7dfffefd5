import fastifyPlugin from 'fastify-plugin';
import { PreambleError } from '../errors.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** On paths that exist: OPTIONS says which methods there are, the wrong ones get 405 with the same list. Registered before the routes. */
export const methods = fastifyPlugin(
  async (app) => {
    const byPath = new Map<string, Set<string>>();
    app.addHook('onRoute', ({ url, method }) => {
      const known = byPath.get(url) ?? new Set();
      byPath.set(url, known);
      for (const name of [method].flat()) known.add(name);
    });
    app.decorate('addOtherMethods', () => {
      for (const [url, known] of [...byPath]) {
        const allowed = [...known, 'OPTIONS'].join(', ');
        app.options(url, async (_request, reply) => reply.code(204).header('allow', allowed).send());
        app.route({
          url,
          method: METHODS.filter((method) => method !== 'OPTIONS' && !known.has(method)),
          onRequest: async (request, reply) => {
            reply.header('allow', allowed);
            throw new PreambleError('method_not_allowed', `${request.method} is not allowed here.`, {
              action: `Use ${[...known].join(' or ')}.`,
            });
          },
          handler: async () => undefined,
        });
      }
    });
  },
  { name: 'methods', fastify: '5.x' },
);

declare module 'fastify' {
  interface FastifyInstance {
    /** Call it once, after the last route. */
    addOtherMethods(): void;
  }
}
