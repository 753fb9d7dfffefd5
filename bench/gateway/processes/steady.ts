/**
 * Requests at a steady rate, whether or not answers come: a generator that waits for them hides how long the others would have waited.
 * `node steady.ts JSON`, JSON being SteadyOptions; prints SteadyFigures as JSON.
 */
import { createHistogram, type Quantiles } from '../histogram.ts';
import { createRawClient, type RequestParts, requestBytes } from '../raw-client.ts';

export interface SteadyOptions extends RequestParts {
  readonly perSecond: number;
  readonly seconds: number;
  /** Before counting begins. */
  readonly warmUpSeconds: number;
  readonly connections: number;
}

export interface SteadyFigures {
  /** From when a request was due to the end of its answer, milliseconds. */
  readonly latency: Quantiles;
  readonly failed: number;
  readonly perSecond: number;
}

const options: SteadyOptions = JSON.parse(process.argv[2] ?? '{}');
const request = requestBytes(options);
const histogram = createHistogram();
const idle = Array.from({ length: options.connections }, () => createRawClient(options.port));
/** When those that found no idle connection were due. */
const waiting: number[] = [];
const begin = performance.now();
const counted = begin + options.warmUpSeconds * 1000;
const end = counted + options.seconds * 1000;
let sent = 0;
let failed = 0;

const timer = setInterval(tick, 1);

function tick(): void {
  const now = performance.now();
  if (now > end) {
    clearInterval(timer);
    // The last answers are on their way.
    setTimeout(report, 200);
    return;
  }
  const due = Math.floor(((now - begin) / 1000) * options.perSecond);
  for (; sent < due; sent++) waiting.push(now);
  next();
}

function next(): void {
  while (waiting.length > 0) {
    const client = idle.pop();
    if (client === undefined) return;
    const since = waiting.shift() ?? 0;
    const settle = (ok: boolean) => {
      if (since >= counted) {
        if (ok) histogram.add(performance.now() - since);
        else failed++;
      }
      idle.push(client);
    };
    client.send(request, {
      bytes: () => {},
      end: (status) => {
        settle(status === 200);
        next();
      },
      broken: () => settle(false),
    });
  }
}

function report(): void {
  const latency = histogram.quantiles();
  const figures: SteadyFigures = { latency, failed, perSecond: latency.count / options.seconds };
  process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit(0));
}
