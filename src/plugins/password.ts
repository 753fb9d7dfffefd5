import fastifyPlugin from 'fastify-plugin';
import { PreambleError } from '../errors.ts';
import type { Gateway } from '../gateway.ts';
import { holdsPassword } from '../policy/holds-password.ts';

/** Asks for the operators' password where there is one, on paths that do not exist as well; all but probes, which carry none. */
export const password = fastifyPlugin(
  async (app, { gateway }: { gateway: Gateway }) => {
    app.addHook('onRequest', async (request) => {
      if (request.routeOptions.config.withoutKey === true) return;
      if (!holdsPassword(gateway.adminPassword(), request.headers.authorization)) throw noValidPassword();
    });
  },
  { name: 'password', fastify: '5.x' },
);

/** The same whether it is missing, wrong or withdrawn. */
function noValidPassword(): PreambleError {
  return new PreambleError('invalid_password', "The request does not hold the operators' password.", {
    action: 'Send it by HTTP Basic authentication, with any user name.',
  });
}
