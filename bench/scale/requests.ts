import { createRawClient, requestBytes } from '../gateway/raw-client.ts';
import { smallBody } from '../gateway/wire.ts';
import { type BenchGateway, headersOf, type TenantName } from './fleet.ts';

/** Between two looks at what is due. */
const TICK_MS = 10;
const CONNECTIONS = 16;
/** The last answers are on their way. */
const LAST_MS = 30_000;

export interface Sent {
  readonly answered: number;
  /** Of these with another status than 200, or broken off. */
  readonly failed: number;
  readonly seconds: number;
}

export interface Kind {
  readonly tenant: TenantName;
  readonly model: string;
}

const bytesFor = (port: number, { tenant, model }: Kind) =>
  requestBytes({ port, headers: headersOf(tenant), body: smallBody(model) });

/** Requests to each gateway at a steady rate, whether or not answers come. */
export async function sendSteadily(
  gateways: readonly BenchGateway[],
  kind: Kind,
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<Sent> {
  const senders = gateways.map(({ port }) => createSender(port, bytesFor(port, kind)));
  const begin = performance.now();
  let sent = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const elapsed = Math.min(seconds, (performance.now() - begin) / 1000);
      for (const due = Math.floor(elapsed * perSecond); sent < due; sent++) for (const { ask } of senders) ask();
      if (elapsed < seconds) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
  return await finish(senders, begin);
}

/** As many requests as are wanted of each gateway, as fast as they are answered. */
export async function sendAll(gateways: readonly BenchGateway[], kind: Kind, count: number): Promise<Sent> {
  const senders = gateways.map(({ port }) => createSender(port, bytesFor(port, kind)));
  const begin = performance.now();
  for (let sent = 0; sent < count; sent++) for (const { ask } of senders) ask();
  return await finish(senders, begin, Number.POSITIVE_INFINITY);
}

type Sender = ReturnType<typeof createSender>;

async function finish(senders: readonly Sender[], begin: number, atMost = LAST_MS): Promise<Sent> {
  const deadline = performance.now() + atMost;
  const left = () => senders.reduce((sum, { under }) => sum + under(), 0);
  while (left() > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  const total = (pick: (sender: Sender) => number) => senders.reduce((sum, sender) => sum + pick(sender), 0);
  const unanswered = left();
  const answered = total((sender) => sender.answered());
  const failed = total((sender) => sender.failed()) + unanswered;
  for (const { close } of senders) close();
  return { answered, failed, seconds: (performance.now() - begin) / 1000 };
}

/** One gateway's connections; what finds none idle waits for one. */
function createSender(port: number, request: Buffer) {
  const clients = Array.from({ length: CONNECTIONS }, () => createRawClient(port));
  const idle = [...clients];
  let waiting = 0;
  let running = 0;
  let answered = 0;
  let failed = 0;

  function next(): void {
    const client = waiting > 0 ? idle.pop() : undefined;
    if (client === undefined) return;
    waiting--;
    running++;
    const settle = (ok: boolean) => {
      running--;
      answered++;
      if (!ok) failed++;
      idle.push(client);
      next();
    };
    client.send(request, {
      bytes: () => {},
      end: (status) => settle(status === 200),
      broken: () => settle(false),
    });
  }

  return {
    ask(): void {
      waiting++;
      next();
    },
    under: () => waiting + running,
    answered: () => answered,
    failed: () => failed,
    close(): void {
      for (const client of clients) client.close();
    },
  };
}
