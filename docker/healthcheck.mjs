// The image's HEALTHCHECK: exit code 0 where the gateway can answer for every model. There is no shell and no curl in the image.
const LIMIT_MS = 4_000;
// The chart's test asks a Service by its address.
const address = process.argv[2] ?? `http://127.0.0.1:${process.env.PREAMBLE_LISTEN_PORT ?? '8080'}/readyz`;

try {
  const answer = await fetch(address, { signal: AbortSignal.timeout(LIMIT_MS) });
  process.stdout.write(await answer.text());
  process.exitCode = answer.ok ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error.cause?.message ?? error.message}\n`);
  process.exitCode = 1;
}
