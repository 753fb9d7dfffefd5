import type { BenchContext } from './context.ts';
import { startHttpProxy } from './targets/http-proxy.ts';
import { startLiteLlm } from './targets/litellm.ts';
import { startNginx } from './targets/nginx.ts';
import { startPortkey } from './targets/portkey.ts';
import { startPreamble } from './targets/preamble.ts';

/** What requests are sent to. */
export interface Target {
  readonly name: string;
  readonly port: number;
  /** Null where no gateway stands between. */
  readonly pid: number | null;
  readonly headers: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** A target that cannot be had here says why; the bench goes on without it. */
export class Unavailable extends Error {}

const starters: Readonly<Record<string, (context: BenchContext) => Promise<Target>>> = {
  direct: async ({ mockPort }) => ({ name: 'direct', port: mockPort, pid: null, headers: {}, stop: async () => {} }),
  nginx: startNginx,
  'http-proxy': startHttpProxy,
  portkey: startPortkey,
  litellm: startLiteLlm,
  preamble: startPreamble,
};

/** In the order in which rounds go through them. */
export const availableTargets = Object.keys(starters);

export async function startTarget(name: string, context: BenchContext): Promise<Target> {
  const start = starters[name];
  if (start === undefined) throw new Error(`There is no target ${name}.`);
  return await start(context);
}
