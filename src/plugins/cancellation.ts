import fastifyPlugin from 'fastify-plugin';
import { PreambleError } from '../errors.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Fires when the client goes away, the answer takes too long, or the gateway ends; its reason says which. */
    cancellation: AbortSignal;
  }
  interface FastifyInstance {
    /** True from the first signal to end on. */
    draining: boolean;
  }
}

export interface CancellationOptions {
  /** Longest time that one answer may take. */
  requestSeconds: number;
  /** How long running answers may go on once the gateway is told to end. */
  drainSeconds: number;
}

/** For the error that ends an answer to reach the client, once the time to drain is over. */
const LAST_WORDS_MS = 500;

/** One AbortSignal a request, from the client's socket to whoever computes the answer. */
export const cancellation = fastifyPlugin(
  async (app, options: CancellationOptions) => {
    const running = new Set<AbortController>();
    let drained: NodeJS.Timeout | undefined;
    let closing: NodeJS.Timeout | undefined;
    // Node does not count every connection that has nothing to do as idle, and one left open would keep the process.
    const closeSoon = () => {
      closing ??= setTimeout(() => app.server.closeAllConnections(), LAST_WORDS_MS);
    };

    app.decorate('draining', false);
    // Every request gets its own in the hook below; this one only gives the property its shape.
    app.decorateRequest('cancellation', { getter: () => AbortSignal.abort() });

    app.addHook('onRequest', async (request, reply) => {
      const controller = new AbortController();
      running.add(controller);
      Object.defineProperty(request, 'cancellation', { value: controller.signal });
      const timer = setTimeout(() => controller.abort(tooSlow(options.requestSeconds)), options.requestSeconds * 1000);
      reply.raw.once('close', () => {
        clearTimeout(timer);
        running.delete(controller);
        // Else a client that keeps its connection would keep us.
        if (app.draining) setImmediate(() => app.server.closeIdleConnections());
        if (app.draining && running.size === 0) closeSoon();
        if (!reply.raw.writableFinished) controller.abort(new PreambleError('cancelled', 'The client went away.'));
      });
      if (app.draining) {
        reply.header('connection', 'close');
        throw new PreambleError('shutting_down', 'The gateway is shutting down.', { action: 'Try again.' });
      }
    });

    app.addHook('preClose', async () => {
      app.draining = true;
      if (running.size === 0) closeSoon();
      drained = setTimeout(() => {
        const reason = new PreambleError('shutting_down', 'The gateway shut down before the answer was complete.', {
          action: 'Try again.',
        });
        for (const controller of running) controller.abort(reason);
        closeSoon();
      }, options.drainSeconds * 1000);
    });
    app.addHook('onClose', async () => {
      clearTimeout(drained);
      clearTimeout(closing);
    });
  },
  { name: 'cancellation', fastify: '5.x' },
);

function tooSlow(seconds: number): PreambleError {
  return new PreambleError('timed_out', `The answer took longer than ${seconds} seconds.`, {
    action: 'Ask for fewer tokens, or try again when less is running.',
  });
}
