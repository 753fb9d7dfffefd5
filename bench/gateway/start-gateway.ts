import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GATEWAY_CORE, type Running, type StartOptions, startPinned, waitUntilServing } from './processes.ts';
import type { Target } from './targets.ts';
import { MODEL, smallBody } from './wire.ts';

export interface GatewayOptions extends Omit<StartOptions, 'core' | 'logFile'> {
  readonly name: string;
  readonly port: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly folder: string;
  /** Where it says that it is ready; else a chat completion tells. */
  readonly readyPath?: string;
}

/** Starts a gateway on its core and waits until it serves. */
export async function startGateway(options: GatewayOptions): Promise<Target> {
  const { name, port, headers = {}, folder, readyPath } = options;
  const logFile = join(folder, `${name}.log`);
  const running: Running = startPinned({ ...options, core: GATEWAY_CORE, logFile });
  const base = `http://127.0.0.1:${port}`;
  const ask = () =>
    readyPath !== undefined
      ? fetch(base + readyPath)
      : fetch(`${base}/v1/chat/completions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: smallBody(MODEL),
        });
  await waitUntilServing(running, ask, logFile);
  return { name, port, pid: running.pid, headers, stop: () => stopOrTell(name, running, logFile) };
}

/** Ends it; where it ended by itself, says what its log ends with. */
export async function stopOrTell(name: string, running: Running, logFile: string): Promise<void> {
  if (running.exited()) {
    const log = await readFile(logFile, 'utf8').catch(() => '');
    process.stderr.write(`${name} ended by itself. ${log.slice(-2000)}\n`);
  }
  await running.stop();
}
