import { formatSpread } from '../statistics.ts';
import { formatTable } from '../table.ts';
import type { LatencySpread } from './latency.ts';
import type { ThroughputSpread } from './measurement.ts';
import type { FirstByteSpread, ManyStreams } from './streams.ts';
import { type Results, verdicts } from './verdicts.ts';

/** All tables, then what was to be reached. */
export function formatReport(results: Results): string {
  const parts = [
    throughput('1 KB body, answered whole, no prompt', results.small),
    throughput('1 KB body, answered whole, Preamble putting a text in front', results.text),
    throughput('1.1 MB to the server: Preamble from a body of 1 KB, the others passing it on', results.embeddings),
    throughput(
      '1 KB body, answered whole, Preamble spelling 100 virtual tokens in front, beside itself',
      results.virtual,
    ),
    latency(results.latency),
    firstByte(results.firstByte),
    streams(results.streams),
    judged(results),
  ];
  return parts.filter((part) => part !== null).join('\n');
}

function titled(title: string, rows: readonly string[][]): string {
  return `${title}\n${formatTable(rows)}`;
}

function throughput(title: string, figures: ReadonlyMap<string, ThroughputSpread> | undefined): string | null {
  if (figures === undefined) return null;
  const to = (name: string, value: number) => {
    const base = figures.get(name)?.perSecond.median;
    return base === undefined ? '' : (value / base).toFixed(2);
  };
  const rows = [...figures].map(([name, { perSecond, perProcessorSecond, share, p99, failed }]) => [
    name,
    formatSpread(perSecond),
    to('direct', perSecond.median),
    to('http-proxy', perSecond.median),
    to('portkey', perSecond.median),
    Number.isNaN(share.median) ? '' : formatSpread(perProcessorSecond),
    Number.isNaN(share.median) ? '' : `${(100 * share.median).toFixed(0)}%`,
    p99.median.toFixed(1),
    String(failed),
  ]);
  const headings = [
    'target',
    'requests/s',
    'to direct',
    'to http-proxy',
    'to portkey',
    'per processor second',
    'core used',
    'p99 ms',
    'failed',
  ];
  return titled(title, [headings, ...rows]);
}

function latency(figures: ReadonlyMap<string, LatencySpread> | undefined): string | null {
  if (figures === undefined) return null;
  const direct = figures.get('direct');
  const rows = [...figures].map(([name, { p50, p99, failed }]) => [
    name,
    formatSpread(p50, 2),
    formatSpread(p99, 2),
    direct === undefined ? '' : (p99.median - direct.p99.median).toFixed(2),
    String(failed),
  ]);
  return titled("Half of Preamble's load, at a steady rate", [
    ['target', 'p50 ms', 'p99 ms', 'added p99', 'failed'],
    ...rows,
  ]);
}

function firstByte(figures: ReadonlyMap<string, FirstByteSpread> | undefined): string | null {
  if (figures === undefined) return null;
  const direct = figures.get('direct');
  const rows = [...figures].map(([name, { p50, p99, broken }]) => [
    name,
    formatSpread(p50, 2),
    formatSpread(p99, 2),
    direct === undefined ? '' : (p50.median - direct.p50.median).toFixed(2),
    String(broken),
  ]);
  return titled('First byte of a stream, 50 streams at a time', [
    ['target', 'p50 ms', 'p99 ms', 'added p50', 'broken'],
    ...rows,
  ]);
}

function streams(figures: ReadonlyMap<string, ManyStreams> | undefined): string | null {
  if (figures === undefined) return null;
  const rows = [...figures].map(([name, { firstByte: first, gap, whole, stalls, broken, share, memory, seconds }]) => [
    name,
    String(seconds),
    first.p50.toFixed(2),
    first.p99.toFixed(1),
    gap.p50.toFixed(1),
    gap.p99.toFixed(1),
    gap.max.toFixed(0),
    (whole.p50 / 1000).toFixed(2),
    String(stalls),
    String(broken),
    Number.isNaN(share) ? '' : `${(100 * share).toFixed(0)}%`,
    memory === null ? '' : `${memory.early.toFixed(0)} to ${memory.late.toFixed(0)}`,
  ]);
  const headings = [
    'target',
    's',
    'first byte p50 ms',
    'p99',
    'gap p50 ms',
    'p99',
    'longest',
    'stream s',
    'stalls',
    'broken',
    'core used',
    'memory MB',
  ];
  return titled('1,000 streams at a time, 500 tokens each, one every 20 ms', [headings, ...rows]);
}

function judged(results: Results): string {
  const rows = verdicts(results).map(({ what, wanted, measured, reached }) => [
    reached ? 'reached' : 'NOT REACHED',
    what,
    wanted,
    measured,
  ]);
  return titled('Numbers to reach', rows.length === 0 ? [['none of them was measured']] : rows);
}
