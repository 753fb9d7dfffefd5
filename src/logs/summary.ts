import { createSeries } from '../telemetry/series.ts';
import type { DecisionLine, RequestLine } from './parse-line.ts';
import { parseLogLine } from './parse-line.ts';
import { createQuantiles, type Quantiles } from './quantiles.ts';
import { type Proportion, wilson } from './wilson.ts';

export const groupings = ['model', 'prompt', 'variant', 'tenant'] as const;
export type Grouping = (typeof groupings)[number];

/** So that a log of any length, and of any number of names, is summed up in the same memory. */
const MAX_GROUPS = 1_000;
const NONE = 'none';

export interface LatencySummary {
  readonly n: number;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
}

export interface GroupSummary {
  /** By the names that were asked for. */
  readonly group: Readonly<Record<string, string>>;
  readonly decisions: Readonly<Record<DecisionLine['decision'], number>>;
  /** Of the answers that came to their end. */
  readonly refused: Proportion;
  readonly partial: Proportion;
  readonly requests: Readonly<Record<RequestLine['result'], number>>;
  /** Milliseconds, of answers. */
  readonly firstTokenMs: LatencySummary;
  readonly totalMs: LatencySummary;
  readonly gatewayMs: LatencySummary;
}

export interface LogSummary {
  readonly lines: number;
  readonly brokenLines: number;
  /** Of the first and the last line that was counted, as ISO 8601; null where none was. */
  readonly from: string | null;
  readonly to: string | null;
  readonly groups: readonly GroupSummary[];
}

interface Group {
  readonly decisions: Record<DecisionLine['decision'], number>;
  readonly requests: Record<RequestLine['result'], number>;
  readonly firstToken: Quantiles;
  readonly total: Quantiles;
  readonly gateway: Quantiles;
}

/** Reads along, line after line; null is a line that was too long to be read. */
export function createLogSummary(by: readonly Grouping[]): { line(text: string | null): void; result(): LogSummary } {
  const series = createSeries(by, MAX_GROUPS, newGroup);
  let lines = 0;
  let brokenLines = 0;
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;

  function countDecision(line: DecisionLine): void {
    const prompt = line.prompt === null ? NONE : `${line.prompt.name}@${line.prompt.version}`;
    const group = series.of(...by.map((name) => (name === 'prompt' ? prompt : line[name])));
    group.decisions[line.decision]++;
    // The choices of one answer were begun and ended together.
    if (line.choice !== 0) return;
    if (line.firstTokenMs !== null) group.firstToken.add(line.firstTokenMs);
    group.total.add(line.totalMs);
    group.gateway.add(line.gatewayMs);
  }

  function countRequest(line: RequestLine): void {
    series.of(...by.map((name) => line[name] ?? NONE)).requests[line.result]++;
  }

  return {
    line(text) {
      if (text?.trim() === '') return;
      lines++;
      const line = text === null ? 'broken' : parseLogLine(text);
      if (line === 'broken') brokenLines++;
      if (typeof line === 'string') return;
      from = Math.min(from, line.time);
      to = Math.max(to, line.time);
      if (line.event === 'request') countRequest(line);
      else countDecision(line);
    },
    result: () => ({
      lines,
      brokenLines,
      from: isoTime(from),
      to: isoTime(to),
      groups: [...series.entries()].map(([group, numbers]) => summarize(group, numbers)),
    }),
  };
}

function summarize(
  group: Readonly<Record<string, string>>,
  { decisions, requests, firstToken, total, gateway }: Group,
): GroupSummary {
  const { refused, partial, complied, empty, filtered } = decisions;
  // What broke off tells nothing of what the model would have said.
  const ended = refused + partial + complied + empty + filtered;
  return {
    group,
    decisions,
    refused: wilson(refused, ended),
    partial: wilson(partial, ended),
    requests,
    firstTokenMs: latency(firstToken),
    totalMs: latency(total),
    gatewayMs: latency(gateway),
  };
}

function latency(quantiles: Quantiles): LatencySummary {
  return { n: quantiles.count(), p50: quantiles.at(0.5), p90: quantiles.at(0.9), p99: quantiles.at(0.99) };
}

function newGroup(): Group {
  return {
    decisions: { refused: 0, partial: 0, complied: 0, empty: 0, filtered: 0, unknown: 0 },
    requests: { ok: 0, rejected: 0, failed: 0, cancelled: 0 },
    firstToken: createQuantiles(),
    total: createQuantiles(),
    gateway: createQuantiles(),
  };
}

/** A time that no calendar has is none. */
function isoTime(time: number): string | null {
  const date = new Date(time);
  return Number.isNaN(date.valueOf()) ? null : date.toISOString();
}
