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

/** A request that was sent before its sender could know is answered, with 503, if it arrives within this time. */
export const IDLE_GRACE_MS = 500;

/** What an answer that is cut short takes to say so, on a busy machine. */
const LAST_WORDS_MS = 3000;

/** One AbortSignal a request, from the client's socket to whoever computes the answer. */
export const cancellation = fastifyPlugin(
  async (app, options: CancellationOptions) => {
    const running = new Set<AbortController>();
    let drained: NodeJS.Timeout | undefined;
    const closeUnused = () => {
      app.server.closeIdleConnections();
      // Node does not count every connection that has nothing to do as idle (an answer that nobody reads, say).
      if (running.size === 0) app.server.closeAllConnections();
    };

    app.decorate('draining', false);
    // The hook below sets it on every request that a route sees.
    app.decorateRequest('cancellation');

    // A promise, so that no request is answered in the turn of its head: one whose body breaks in the same bytes would be answered twice.
    app.addHook('onRequest', async (request, reply) => {
      const controller = new AbortController();
      running.add(controller);
      request.cancellation = controller.signal;
      const timer = setTimeout(() => controller.abort(tooSlow(options.requestSeconds)), options.requestSeconds * 1000);
      reply.raw.once('close', () => {
        clearTimeout(timer);
        running.delete(controller);
        // Else a client that keeps its connection would keep us. Not at once: its next request may be on the way, and would be lost.
        if (app.draining) setTimeout(closeUnused, IDLE_GRACE_MS).unref();
        if (!reply.raw.writableFinished) controller.abort(new PreambleError('cancelled', 'The client went away.'));
      });
      if (app.draining) {
        reply.header('connection', 'close');
        throw new PreambleError('shutting_down', 'The gateway is shutting down.', { action: 'Try again.' });
      }
    });

    // Who is told does not send its next request where nobody will read it.
    app.addHook('onSend', async (_request, reply, payload) => {
      if (app.draining) reply.header('connection', 'close');
      return payload;
    });

    app.addHook('preClose', async () => {
      app.draining = true;
      setTimeout(closeUnused, IDLE_GRACE_MS).unref();
      drained = setTimeout(() => {
        const reason = new PreambleError('shutting_down', 'The gateway shut down before the answer was complete.', {
          action: 'Try again.',
        });
        for (const controller of running) controller.abort(reason);
        // A connection that neither sends nor reads would keep us for as long as keep-alive lasts.
        setTimeout(() => app.server.closeAllConnections(), LAST_WORDS_MS).unref();
      }, options.drainSeconds * 1000);
    });
    app.addHook('onClose', async () => clearTimeout(drained));
  },
  { name: 'cancellation', fastify: '5.x' },
);

function tooSlow(seconds: number): PreambleError {
  return new PreambleError('timed_out', `The answer took longer than ${seconds} seconds.`, {
    action: 'Ask for fewer tokens, or try again when less is running.',
  });
}
