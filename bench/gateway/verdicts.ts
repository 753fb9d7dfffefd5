import type { LatencySpread } from './latency.ts';
import type { ThroughputSpread } from './measurement.ts';
import type { FirstByteSpread, ManyStreams } from './streams.ts';

/** Figures by target. */
export interface Results {
  small?: ReadonlyMap<string, ThroughputSpread>;
  text?: ReadonlyMap<string, ThroughputSpread>;
  embeddings?: ReadonlyMap<string, ThroughputSpread>;
  /** Preamble alone, with virtual tokens in front and without a prompt. */
  virtual?: ReadonlyMap<string, ThroughputSpread>;
  latency?: ReadonlyMap<string, LatencySpread>;
  firstByte?: ReadonlyMap<string, FirstByteSpread>;
  streams?: ReadonlyMap<string, ManyStreams>;
}

export interface Verdict {
  readonly what: string;
  readonly wanted: string;
  readonly measured: string;
  readonly reached: boolean;
}

/** What Preamble without a prompt is called beside itself with one. */
export const NO_PROMPT = 'no prompt';
/** A run shorter than this says little about memory. */
const MEMORY_RUN_SECONDS = 600;

/** The numbers to reach, and whether they are; those whose figures are not there are left out. */
export function verdicts(results: Results): Verdict[] {
  return [
    ratio('small body, no prompt, to Portkey', 3, results.small, 'portkey'),
    ratio('small body, no prompt, to http-proxy', 0.6, results.small, 'http-proxy'),
    ratio('small body, prompt as text, to Portkey', 3, results.text, 'portkey'),
    ratio('small body, prompt as text, to http-proxy', 0.6, results.text, 'http-proxy'),
    ratio('1 KB made 1.1 MB, to http-proxy passing 1.1 MB', 1.25, results.embeddings, 'http-proxy'),
    ratio('small body, 100 virtual tokens, to no prompt', 0.95, results.virtual, NO_PROMPT),
    addedLatency(results.latency),
    ...firstBytes(results),
    ...manyStreams(results.streams?.get('preamble')),
  ].filter((verdict) => verdict !== null);
}

function ratio(
  what: string,
  least: number,
  figures: ReadonlyMap<string, ThroughputSpread> | undefined,
  peer: string,
): Verdict | null {
  const ours = figures?.get('preamble');
  const theirs = figures?.get(peer);
  if (ours === undefined || theirs === undefined) return null;
  const value = ours.perSecond.median / theirs.perSecond.median;
  const byProcessor = ours.perProcessorSecond.median / theirs.perProcessorSecond.median;
  return {
    what,
    wanted: `at least ${least}`,
    measured: `${value.toFixed(2)} (for equal processor time ${byProcessor.toFixed(2)})`,
    reached: value >= least,
  };
}

function addedLatency(figures: ReadonlyMap<string, LatencySpread> | undefined): Verdict | null {
  const ours = figures?.get('preamble');
  const direct = figures?.get('direct');
  if (ours === undefined || direct === undefined) return null;
  const added = ours.p99.median - direct.p99.median;
  return {
    what: 'added p99 at half load',
    wanted: 'under 2 ms',
    measured: `${added.toFixed(2)} ms`,
    reached: added < 2 && ours.failed === 0,
  };
}

function firstBytes({ firstByte, streams }: Results): (Verdict | null)[] {
  const few = added(firstByte?.get('preamble')?.p50.median, firstByte?.get('direct')?.p50.median);
  const many = added(streams?.get('preamble')?.firstByte.p50, streams?.get('direct')?.firstByte.p50);
  return [
    few === null ? null : firstByteVerdict('first byte later than direct, median, 50 streams', few),
    many === null ? null : firstByteVerdict('first byte later than direct, median, 1,000 streams', many),
  ];
}

function added(ours: number | undefined, direct: number | undefined): number | null {
  return ours === undefined || direct === undefined ? null : ours - direct;
}

function firstByteVerdict(what: string, ms: number): Verdict {
  return { what, wanted: 'at most 1 ms', measured: `${ms.toFixed(2)} ms`, reached: ms <= 1 };
}

function manyStreams(ours: ManyStreams | undefined): Verdict[] {
  if (ours === undefined) return [];
  const { stalls, broken, gap, memory, seconds } = ours;
  const stalled: Verdict = {
    what: '1,000 streams at 50 tokens/s',
    wanted: 'no stall',
    measured: `${stalls} stalls, ${broken} broken, longest silence ${gap.max.toFixed(0)} ms`,
    reached: stalls === 0 && broken === 0,
  };
  if (memory === null) return [stalled];
  const short = seconds < MEMORY_RUN_SECONDS ? `; a run of ${seconds} s, not ${MEMORY_RUN_SECONDS}` : '';
  const grown: Verdict = {
    what: 'growth of memory over the run',
    wanted: 'under 10%',
    measured: `${(100 * memory.share).toFixed(1)}% (${memory.early.toFixed(0)} to ${memory.late.toFixed(0)} MB${short})`,
    reached: memory.share < 0.1,
  };
  return [stalled, grown];
}
