import type { BenchContext } from '../context.ts';
import { installPeers } from '../install-peers.ts';
import { freePort, peersDirectory } from '../processes.ts';
import { startGateway } from '../start-gateway.ts';
import type { Target } from '../targets.ts';

export async function startHttpProxy({ mockPort, folder }: BenchContext): Promise<Target> {
  installPeers();
  const port = await freePort();
  return await startGateway({
    name: 'http-proxy',
    port,
    folder,
    cwd: peersDirectory,
    command: process.execPath,
    args: ['http-proxy.mjs', `http://127.0.0.1:${mockPort}`, String(port)],
  });
}
