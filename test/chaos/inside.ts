/**
 * Loaded into a gateway's process before the gateway (`node --import`): turns its wall clock when told to, and tells what it holds after a
 * collection of garbage. Timers and `performance.now()` are the kernel's monotonic clock, which jumps on no machine.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Held, Told } from './gateway-process.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');
const RealDate = Date;
let shiftMs = 0;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [RealDate.now() + shiftMs] : args, newTarget),
  apply: () => new RealDate(RealDate.now() + shiftMs).toString(),
  get: (target, name) => (name === 'now' ? () => RealDate.now() + shiftMs : Reflect.get(target, name)),
});

process.on('message', (told: Told) => {
  if (told.kind === 'clock') {
    shiftMs = told.shiftMs;
    return;
  }
  // What the first one frees may hold what the second one does.
  collect();
  collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  const sockets = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  process.send?.({ heapUsed, external, rss, sockets } satisfies Held);
});
// The gateway ends when it has nothing to do, though its test still listens.
process.channel?.unref();
