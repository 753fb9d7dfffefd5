import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { createAdmin } from './admin.ts';
import { createApp } from './app.ts';
import type { Config } from './config/schema.ts';
import { isLoopback } from './config/together.ts';
import { PreambleError } from './errors.ts';
import { IDLE_GRACE_MS } from './plugins/cancellation.ts';
import { watchProcess } from './process-signals.ts';
import type { LiveGateway } from './startup/live-gateway.ts';
import type { Tracing } from './telemetry/tracing.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ServeOptions {
  readonly listen: Config['listen'];
  /** Where operators look; nowhere unless it is set. */
  readonly admin: Config['admin'];
  readonly logger: Logger;
  /** Null where nothing is traced. */
  readonly tracing: Tracing | null;
  onListening(address: Address): void;
  /** Every model can answer. */
  onReady(address: Address): void;
}

/**
 * Listens, loads the models, serves until SIGTERM or SIGINT, lets running answers end, and returns. While models load, `/readyz` says so.
 * Throws `address_in_use`, `config_invalid` for an address that can't be listened on, and whatever keeps a model from being served.
 */
export async function serve(gateway: LiveGateway, options: ServeOptions): Promise<void> {
  const { logger } = options;
  const app = await createApp(gateway, logger, options.tracing);
  const admin = options.admin === undefined ? null : await createAdmin(gateway, logger);
  const signals = watchProcess(logger);
  try {
    // Before anything is downloaded: a taken port would make that in vain.
    const address = await listen(app, options.listen);
    if (admin !== null && options.admin !== undefined) {
      await listen(admin, options.admin);
      warnOfOpenAdmin(options.admin, logger);
    }
    options.onListening(address);
    const loaded = gateway.readiness.begin().then(() => options.onReady(address));
    await Promise.race([loaded, signals.stopped]);
    logger.info({ event: 'shutdown', signal: await signals.stopped }, 'letting running answers end');
    // New requests are turned away in words before connections are closed: a request that is on the way would be lost with its connection.
    app.draining = true;
    await sleep(IDLE_GRACE_MS);
  } finally {
    await app.close();
    // After the last answer, so that operators can watch the end.
    await admin?.close();
    await gateway.close();
    await options.tracing?.close();
    signals.forget();
  }
}

/** It may be behind a firewall, which can't be known here; so it is said, and not refused. */
function warnOfOpenAdmin({ host, password }: NonNullable<Config['admin']>, logger: Logger): void {
  if (password !== undefined || isLoopback(host)) return;
  const action = 'Set admin.password, or let a firewall keep others away.';
  logger.warn({ event: 'admin.open', host, action }, "the operators' listener asks for no password");
}

async function listen(app: FastifyInstance, { host, port }: Config['listen']): Promise<Address> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw listenError(error, `${host}:${port}`);
  }
  const address = app.server.address();
  return { host, port: typeof address === 'object' && address !== null ? address.port : port };
}

function listenError(error: unknown, where: string): unknown {
  if (!(error instanceof Error && 'code' in error)) return error;
  switch (error.code) {
    case 'EADDRINUSE':
      return new PreambleError('address_in_use', `${where} is in use by another program.`, {
        action: 'Choose another port with --port, or end that program.',
        cause: error,
      });
    case 'EACCES':
      return new PreambleError('config_invalid', `This user may not listen on ${where}.`, {
        action: 'Choose a port above 1023 with --port.',
        cause: error,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new PreambleError('config_invalid', `${where} is not an address of this machine.`, {
        action: 'Choose another with --host.',
        cause: error,
      });
    default:
      return error;
  }
}
