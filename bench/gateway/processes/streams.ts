/**
 * Many streams at a time, each followed by another as it ends. `node streams.ts JSON`, JSON being StreamsOptions; prints StreamsFigures as JSON.
 */
import { createHistogram, type Quantiles } from '../histogram.ts';
import { createRawClient, type RequestParts, requestBytes } from '../raw-client.ts';

export interface StreamsOptions extends RequestParts {
  readonly concurrent: number;
  readonly seconds: number;
  /** Streams begin spread over this time, and counting begins after it. */
  readonly rampSeconds: number;
  /** A silence of this many milliseconds within a stream is a stall. */
  readonly stallMs: number;
}

export interface StreamsFigures {
  /** From the request to the answer's first bytes, milliseconds. */
  readonly firstByte: Quantiles;
  /** Between two reads of one stream, milliseconds. */
  readonly gap: Quantiles;
  /** From the request to the stream's end, milliseconds. */
  readonly whole: Quantiles;
  readonly stalls: number;
  /** Ended without `[DONE]`, with another status than 200, or broke off. */
  readonly broken: number;
}

const options: StreamsOptions = JSON.parse(process.argv[2] ?? '{}');
const request = requestBytes(options);
const firstByte = createHistogram();
const gap = createHistogram();
const whole = createHistogram();
const begin = performance.now();
const counted = begin + options.rampSeconds * 1000;
const end = counted + options.seconds * 1000;
/** Read one after another and not kept: one buffer does for all. */
const shared = Buffer.allocUnsafeSlow(256 * 1024);
let stalls = 0;
let broken = 0;

for (let index = 0; index < options.concurrent; index++) {
  const client = createRawClient(options.port, shared);
  setTimeout(() => follow(client), (index / options.concurrent) * options.rampSeconds * 1000);
}
setTimeout(report, end - begin);

function follow(client: ReturnType<typeof createRawClient>): void {
  const sentAt = performance.now();
  let last = 0;
  client.send(request, {
    bytes() {
      const now = performance.now();
      if (now >= counted) {
        // Not of those that opened their connection: this is about requests.
        if (last === 0 && sentAt >= counted) firstByte.add(now - sentAt);
        if (last !== 0) {
          gap.add(now - last);
          if (now - last > options.stallMs) stalls++;
        }
      }
      last = now;
    },
    end(status, done) {
      if (status !== 200 || !done) broken++;
      else if (sentAt >= counted) whole.add(performance.now() - sentAt);
      setImmediate(follow, client);
    },
    broken() {
      broken++;
      setTimeout(follow, 100, client);
    },
  });
}

function report(): void {
  const figures: StreamsFigures = {
    firstByte: firstByte.quantiles(),
    gap: gap.quantiles(),
    whole: whole.quantiles(),
    stalls,
    broken,
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit(0));
}
