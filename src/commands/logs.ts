import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { SingleBar } from 'cli-progress';
import { type Command, InvalidArgumentError } from 'commander';
import { openLog, readLines } from '../logs/log-lines.ts';
import { RELATIVE_ERROR } from '../logs/quantiles.ts';
import { createLogSummary, type Grouping, type GroupSummary, groupings, type LogSummary } from '../logs/summary.ts';
import type { Proportion } from '../logs/wilson.ts';
import { formatBytes, type Output, processOutput, table, writeResult } from './output.ts';

/** Read in less than a second. */
const QUIET_BELOW_BYTES = 64 * 2 ** 20;

interface SummarizeOptions {
  by: readonly Grouping[];
  json?: boolean;
}

/** `preamble logs summarize`. Failures are thrown as PreambleError for the top level to print. */
export function registerLogsCommands(
  program: Command,
  output: Output = processOutput,
  stdin: Readable = process.stdin,
): void {
  const logs = program.command('logs').description("Read the gateway's logs");
  logs
    .command('summarize')
    .description('Refusal rates, requests, errors and latencies of any amount of log')
    .argument('<file...>', 'JSON lines, gzipped or not; - is standard input')
    .option('--by <names>', `what to tell apart: some of ${groupings.join(',')}`, parseGroupings, groupings)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', help)
    .action((paths: string[], options: SummarizeOptions) => summarizeFiles(paths, options, output, stdin));
}

const help = `
Rates are of the answers that came to their end, with Wilson's 95% interval. Latencies are within ${RELATIVE_ERROR * 100}%; they are
milliseconds from a request's arrival. Lines that can't be read are counted and passed over.

Example:
  preamble logs summarize --by model,prompt gateway.log gateway.log.1.gz
  kubectl logs deploy/preamble | preamble logs summarize -`;

async function summarizeFiles(
  paths: readonly string[],
  { by, json }: SummarizeOptions,
  output: Output,
  stdin: Readable,
): Promise<void> {
  const summary = createLogSummary(by);
  const progress = await startProgress(paths, output);
  try {
    for (const path of paths) {
      for await (const line of readLines(openLog(path, stdin), progress.advance)) summary.line(line);
    }
  } finally {
    progress.stop();
  }
  const result = summary.result();
  writeResult(json, result, describe(result, by), output);
}

function describe({ lines, brokenLines, from, to, groups }: LogSummary, by: readonly Grouping[]): string {
  const head = `${lines} lines${from === null ? '' : `, ${from} to ${to}`}; ${brokenLines} could not be read.\n`;
  const names = by.map((name) => name.toUpperCase());
  const labels = ({ group }: GroupSummary) => by.map((name) => group[name] ?? '');
  const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((a, b) => a + b, 0);
  const answered = groups.filter(({ decisions }) => sum(decisions) > 0);
  const asked = groups.filter(({ requests }) => sum(requests) > 0);
  const sections = [
    table(
      [...names, 'ANSWERS', 'REFUSED', '95%', 'PARTIAL', '95%', 'BROKEN OFF'],
      answered.map((group) => [
        ...labels(group),
        String(sum(group.decisions)),
        ...share(group.refused),
        ...share(group.partial),
        String(group.decisions.unknown),
      ]),
    ),
    table(
      [...names, 'REQUESTS', 'OK', 'REJECTED', 'FAILED', 'CANCELLED'],
      asked.map((group) => {
        const { ok, rejected, failed, cancelled } = group.requests;
        return [...labels(group), ...[sum(group.requests), ok, rejected, failed, cancelled].map(String)];
      }),
    ),
    table(
      [...names, 'MILLISECONDS', 'P50', 'P90', 'P99'],
      answered.flatMap((group) =>
        (
          [
            ['first token', group.firstTokenMs],
            ['total', group.totalMs],
            ['gateway', group.gatewayMs],
          ] as const
        ).map(([what, { p50, p90, p99 }]) => [...labels(group), what, ...[p50, p90, p99].map(milliseconds)]),
      ),
    ),
  ];
  return `${head}\n${sections.join('\n')}`;
}

function share({ rate, low, high }: Proportion): [string, string] {
  if (rate === null) return ['-', '-'];
  return [percent(rate), `${percent(low)} to ${percent(high)}`];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)}%`;
}

function milliseconds(value: number | null): string {
  return value === null ? '-' : String(Number(value.toPrecision(3)));
}

function parseGroupings(text: string): readonly Grouping[] {
  return text.split(',').map((word) => {
    const name = groupings.find((known) => known === word.trim());
    if (name === undefined) throw new InvalidArgumentError(`There are ${groupings.join(', ')}.`);
    return name;
  });
}

/** A bar, for files that take a while, in a terminal. */
async function startProgress(paths: readonly string[], output: Output) {
  const sizes = await Promise.all(paths.map((path) => (path === '-' ? 0 : sizeOf(path))));
  const total = sizes.reduce((a, b) => a + b, 0);
  if (!output.stderr.isTTY || total < QUIET_BELOW_BYTES) return { advance: () => {}, stop: () => {} };
  const format = `Reading [{bar}] {percentage}% of ${formatBytes(total)}, {eta_formatted} left`;
  const bar = new SingleBar({ stream: output.stderr, format, etaBuffer: 50, hideCursor: false, clearOnComplete: true });
  bar.start(total, 0);
  return { advance: (bytes: number) => bar.increment(bytes), stop: () => bar.stop() };
}

/** One that is not there is told of when it is read. */
async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => null);
  return found?.size ?? 0;
}
