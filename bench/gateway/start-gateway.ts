import { join } from 'node:path';
import { GATEWAY_CORE, type Running, type StartOptions, startPinned, waitUntilServing } from './processes.ts';
import type { Target } from './targets.ts';
import { MODEL, smallBody } from './wire.ts';

export interface GatewayOptions extends Omit<StartOptions, 'core' | 'logFile'> {
  readonly name: string;
  readonly port: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly folder: string;
}

/** Starts a gateway on its core and waits until a chat completion comes through it. */
export async function startGateway(options: GatewayOptions): Promise<Target> {
  const { name, port, headers = {}, folder } = options;
  const logFile = join(folder, `${name}.log`);
  const running: Running = startPinned({ ...options, core: GATEWAY_CORE, logFile });
  const ask = () =>
    fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: smallBody(MODEL),
    });
  await waitUntilServing(running, ask, logFile);
  return { name, port, pid: running.pid, headers, stop: running.stop };
}
