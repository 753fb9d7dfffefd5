import helmet from '@fastify/helmet';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { Gateway } from './gateway.ts';
import { errors } from './plugins/errors.ts';
import { methods } from './plugins/methods.ts';
import { password } from './plugins/password.ts';
import { holdsPassword } from './policy/holds-password.ts';
import { dashboardRoutes } from './routes/dashboard.ts';
import { healthRoutes } from './routes/health.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { rolloutRoutes } from './routes/rollouts.ts';
import { statusRoutes } from './routes/status.ts';

/** Nothing but this listener's own files; no script or style that stands in a page, whoever wrote it there; no other host. */
const contentSecurity = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  connectSrc: ["'self'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
};
/** Operators' questions are short. */
const BODY_BYTES = 64 * 1024;

/**
 * What operators see, on a listener of its own: no application's key opens it, and no application's address reaches it. Every route is a GET that
 * changes nothing, and a page of another origin can't read its answer; so a browser that sends the password by itself can't be misused, and there is
 * no defence against forged requests. A route that changes something needs one.
 */
export async function createAdmin(gateway: Gateway, logger: FastifyBaseLogger): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES,
    forceCloseConnections: true,
  });
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: contentSecurity },
    frameguard: { action: 'deny' },
  });
  await app.register(errors);
  await app.register(password, { gateway });
  await app.register(methods);
  await app.register(healthRoutes, {
    gateway,
    mayReadReasons: ({ headers }) => holdsPassword(gateway.adminPassword(), headers.authorization),
  });
  await app.register(statusRoutes, { gateway });
  await app.register(metricsRoutes, { gateway });
  await app.register(rolloutRoutes, { gateway });
  await app.register(dashboardRoutes, { gateway });
  app.addOtherMethods();
  return app;
}
