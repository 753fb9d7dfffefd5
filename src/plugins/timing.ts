import fastifyPlugin from 'fastify-plugin';

declare module 'fastify' {
  interface FastifyRequest {
    /** When its headers had been read, on `performance.now()`'s clock, in milliseconds. */
    arrivedAt: number;
  }
}

/** Tells the client how long it took until the answer began (`openai-processing-ms`). */
export const timing = fastifyPlugin(
  async (app) => {
    app.decorateRequest('arrivedAt', 0);
    app.addHook('onRequest', (request, _reply, done) => {
      request.arrivedAt = performance.now();
      done();
    });
    app.addHook('onSend', (request, reply, payload, done) => {
      reply.header('openai-processing-ms', elapsedSince(request.arrivedAt));
      done(null, payload);
    });
  },
  { name: 'timing', fastify: '5.x' },
);

/** Whole milliseconds. */
export function elapsedSince(start: number): number {
  return Math.round(performance.now() - start);
}
