import fastifyPlugin from 'fastify-plugin';

declare module 'fastify' {
  interface FastifyRequest {
    /** When its headers had been read, on `performance.now()`'s clock, in milliseconds. */
    arrivedAt: number;
  }
}

/** Tells the client how long it took until the answer began (`openai-processing-ms`), and the log what was asked and what came of it. */
export const timing = fastifyPlugin(
  async (app) => {
    app.decorateRequest('arrivedAt', 0);
    app.addHook('onRequest', async (request) => {
      request.arrivedAt = performance.now();
    });
    app.addHook('onSend', async (request, reply, payload) => {
      reply.header('openai-processing-ms', elapsedSince(request.arrivedAt));
      return payload;
    });
    app.addHook('onResponse', async (request, reply) => {
      request.log.info(
        {
          event: 'request',
          method: request.method,
          // Never the query: people put keys there.
          path: request.url.split('?', 1)[0],
          status: reply.statusCode,
          // None where no key was valid, or the request went no further than its headers.
          tenant: request.tenant?.id ?? null,
          ms: elapsedSince(request.arrivedAt),
        },
        'request answered',
      );
    });
  },
  { name: 'timing', fastify: '5.x' },
);

/** Whole milliseconds. */
export function elapsedSince(start: number): number {
  return Math.round(performance.now() - start);
}
