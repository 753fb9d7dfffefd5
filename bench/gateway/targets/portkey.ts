import type { BenchContext } from '../context.ts';
import { installPeers } from '../install-peers.ts';
import { freePort, peersDirectory } from '../processes.ts';
import { startGateway } from '../start-gateway.ts';
import type { Target } from '../targets.ts';

/** As its README starts it, without the console; the mock is its custom host. */
export async function startPortkey({ mockPort, folder }: BenchContext): Promise<Target> {
  installPeers();
  const port = await freePort();
  return await startGateway({
    name: 'portkey',
    port,
    folder,
    headers: {
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': `http://127.0.0.1:${mockPort}/v1`,
      authorization: 'Bearer none',
    },
    cwd: peersDirectory,
    command: process.execPath,
    args: ['node_modules/@portkey-ai/gateway/build/start-server.js', `--port=${port}`, '--headless'],
    environment: { NODE_ENV: 'production' },
  });
}
