import type { Socket } from 'node:net';
import fastify, {
  type ConnectionError,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { PreambleError } from './errors.ts';
import type { Gateway } from './gateway.ts';
import { toErrorResponse } from './openai/error-body.ts';
import { cancellation } from './plugins/cancellation.ts';
import { errors, rawErrorAnswer, sendError } from './plugins/errors.ts';
import { jsonBody } from './plugins/json-body.ts';
import { methods } from './plugins/methods.ts';
import { observation } from './plugins/observation.ts';
import { newRequestId, requestId, requestIdOf } from './plugins/request-id.ts';
import { tenant } from './plugins/tenant.ts';
import { timing } from './plugins/timing.ts';
import { chatCompletionRoutes } from './routes/chat-completions.ts';
import { completionRoutes } from './routes/completions.ts';
import { healthRoutes } from './routes/health.ts';
import { modelRoutes } from './routes/models.ts';
import { passThroughRoutes } from './routes/pass-through.ts';
import { responseRoutes } from './routes/responses.ts';
import type { Tracing } from './telemetry/tracing.ts';

/** Milliseconds for a request's headers to arrive: they are one packet; who sends them slower holds a connection to harm. */
const HEADERS_TIMEOUT_MS = 10_000;
/** Milliseconds for a whole request: 4 MiB over the slowest line that chats. */
const REQUEST_TIMEOUT_MS = 60_000;
/** Longer than load balancers keep theirs (60 s is common), so that it is not we who close a connection that they are about to use. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
/** How often Node looks for connections that are over these limits. */
const TIMEOUT_CHECK_MS = 1_000;
/** What a client that keeps its side open is given to read why. */
const LAST_WORDS_MS = 1_000;
/** Model names with slashes, encoded, and room to spare. */
const MAX_PATH_PARAMETER = 512;

/** The story of a request, in its order. */
export async function createApp(
  gateway: Gateway,
  logger: FastifyBaseLogger,
  tracing: Tracing | null = null,
): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: requestIdOf,
    requestIdHeader: false,
    bodyLimit: gateway.limits.bodyBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: TIMEOUT_CHECK_MS },
    // `cancellation` turns requests away while draining, in OpenAI's shape.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: MAX_PATH_PARAMETER },
    clientErrorHandler: answerBrokenHttp,
    frameworkErrors: answerUnreadablePath,
  });

  await app.register(requestId);
  await app.register(timing);
  await app.register(observation, { observations: gateway.observations, tracing });
  await app.register(errors);
  await app.register(cancellation, gateway.limits);
  await app.register(tenant, { gateway });
  await app.register(jsonBody);
  await app.register(methods);

  // Nobody proves to be an operator here: a password could be guessed by whoever an application serves.
  await app.register(healthRoutes, { gateway, mayReadReasons: () => gateway.adminPassword() === null });
  await app.register(modelRoutes);
  await app.register(chatCompletionRoutes, { gateway });
  await app.register(completionRoutes, { gateway });
  await app.register(responseRoutes, { gateway });
  await app.register(passThroughRoutes, { gateway, paths: gateway.passThrough });
  app.addOtherMethods();
  return app;
}

/**
 * A path that can't be decoded comes here past every hook, the one that puts the id on answers too. Fastify's own message has the whole
 * URL, and people put keys into queries.
 */
function answerUnreadablePath(cause: Error, request: FastifyRequest, reply: FastifyReply): void {
  const fault = new PreambleError('invalid_request', "The request's path can't be decoded.", {
    action: 'Write a percent sign as %25.',
    cause,
  });
  sendError(fault, request, reply.header('x-request-id', request.id));
}

/** Bytes that are no HTTP, headers too large, or a request that never came to its end: there is no request to log or to route. */
function answerBrokenHttp(error: ConnectionError, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const timedOut = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const fault = new PreambleError(
    'invalid_request',
    timedOut ? 'The request did not arrive in time.' : 'This is not HTTP that can be read here.',
  );
  const response = toErrorResponse(fault);
  socket.end(rawErrorAnswer(timedOut ? { ...response, status: 408 } : response, newRequestId()));
  // Nobody else closes it now, whatever its client does; at once, and the answer could be lost.
  setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref();
}
