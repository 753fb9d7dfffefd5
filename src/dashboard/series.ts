import { createSeries } from '../telemetry/series.ts';

/** What is told of one set of labels. */
export interface TrafficLabels {
  readonly model: string;
  readonly prompt: string;
  readonly variant: string;
  readonly tenant: string;
}

const labelNames = ['model', 'prompt', 'variant', 'tenant'] as const satisfies (keyof TrafficLabels)[];
export const measures = ['requests', 'failed', 'answers', 'refused', 'tokens'] as const;
export type Measure = (typeof measures)[number];
export type Sums = Readonly<Record<Measure, number>>;
/** `total`: arrival to end. `firstToken`: what streamed answers waited for the model. `gateway`: what the gateway itself took. */
export const durations = ['total', 'firstToken', 'gateway'] as const;
export type Duration = (typeof durations)[number];
export const quantiles = [0.5, 0.95, 0.99] as const;

export type Columns = Record<Measure, number[]>;

/** A stretch of the ring, oldest first. */
export interface SeriesView {
  /** Of the first column, milliseconds since 1970. */
  readonly start: number;
  readonly bucketMs: number;
  /** Each number is the sum of the columns up to its own that were asked for. */
  readonly sets: readonly { readonly labels: TrafficLabels; readonly columns: Columns }[];
  /** Milliseconds, in the order of {@link quantiles}; null where nothing was measured. */
  readonly latency: Record<Duration, (number | null)[][]>;
}

export interface SeriesTotals {
  readonly sets: readonly { readonly labels: TrafficLabels; readonly sums: Record<Measure, number> }[];
  readonly latency: Record<Duration, (number | null)[]>;
}

export interface TrafficSeries {
  add(now: number, labels: TrafficLabels, measure: Measure, amount?: number): void;
  time(now: number, duration: Duration, ms: number): void;
  /** The last `count` columns up to the one of now, each of them together with the `span` - 1 before it. */
  view(now: number, count?: number, span?: number): SeriesView;
  totals(now: number, count: number): SeriesTotals;
}

export interface SeriesOptions {
  readonly bucketMs: number;
  readonly buckets: number;
  /** Sets of labels that are kept; what is new beyond them is counted together. */
  readonly sets: number;
}

/** Milliseconds: the first bound, and the ratio of each to the one before. A quantile is read to a tenth of its value. */
const FIRST_BOUND_MS = 0.05;
const BOUND_RATIO = 1.2;
/** Up to 20 minutes. */
const BOUNDS = 94;

/**
 * What was counted in each of the last stretches of time: a ring of columns, each of which is emptied when its turn comes again. Its memory is the
 * same however much is counted: sets × buckets × measures numbers of 8 bytes, and the histograms.
 */
export function createTrafficSeries({ bucketMs, buckets, sets }: SeriesOptions): TrafficSeries {
  const rows = createSeries(labelNames, sets, () => emptyRow(buckets));
  const histograms = emptyHistograms(buckets);
  let newest = Number.NEGATIVE_INFINITY;

  /** Moves on to the column of this time. A clock that was set back counts where it was. */
  function advance(now: number): number {
    const bucket = Math.max(newest, Math.floor(now / bucketMs));
    const passed = Math.min(buckets, bucket - newest);
    for (let back = 0; back < passed; back++) clear((bucket - back) % buckets);
    newest = bucket;
    return bucket % buckets;
  }

  function clear(column: number): void {
    for (const [, row] of rows.entries()) for (const measure of measures) row[measure][column] = 0;
    for (const duration of durations) histograms[duration][column]?.fill(0);
  }

  /** Columns, oldest first, with their bucket's number. */
  function last(now: number, count: number): number[] {
    advance(now);
    const shown = Math.min(count, buckets);
    return Array.from({ length: shown }, (_, index) => (newest - shown + 1 + index) % buckets);
  }

  return {
    add(now, { model, prompt, variant, tenant }, measure, amount = 1) {
      const column = advance(now);
      const row = rows.of(model, prompt, variant, tenant)[measure];
      row[column] = (row[column] ?? 0) + amount;
    },
    time(now, duration, ms) {
      const column = histograms[duration][advance(now)];
      const bound = boundOf(ms);
      if (column !== undefined) column[bound] = (column[bound] ?? 0) + 1;
    },
    view(now, count = buckets, span = 1) {
      const columns = last(now, count + span - 1);
      // What only stands in front of the first one that is shown.
      const lead = columns.length - Math.min(count, buckets);
      return {
        start: (newest - columns.length + lead + 1) * bucketMs,
        bucketMs,
        sets: [...rows.entries()].map(([labels, row]) => ({
          labels: readLabels(labels),
          columns: byMeasure((measure) => rollingSums(row[measure], columns, span).slice(lead)),
        })),
        latency: byDuration((duration) => {
          const found = rollingQuantiles(histograms[duration], columns, span).slice(lead);
          return quantiles.map((_, index) => found.map((each) => each[index] ?? null));
        }),
      };
    },
    totals(now, count) {
      const columns = last(now, count);
      return {
        sets: [...rows.entries()].map(([labels, row]) => ({
          labels: readLabels(labels),
          sums: byMeasure((measure) => columns.reduce((sum, column) => sum + (row[measure][column] ?? 0), 0)),
        })),
        latency: byDuration((duration) => {
          const counts = new Float64Array(BOUNDS);
          for (const column of columns) addTo(counts, histograms[duration][column], 1);
          return quantilesOf(counts);
        }),
      };
    },
  };
}

function boundOf(ms: number): number {
  if (!(ms > FIRST_BOUND_MS)) return 0;
  return Math.min(BOUNDS - 1, Math.ceil(Math.log(ms / FIRST_BOUND_MS) / Math.log(BOUND_RATIO)));
}

/** Of the ring's columns, in their order: each with the `span` - 1 before it. */
function rollingSums(row: Float64Array, columns: readonly number[], span: number): number[] {
  let sum = 0;
  return columns.map((column, index) => {
    const gone = columns[index - span];
    sum += (row[column] ?? 0) - (gone === undefined ? 0 : (row[gone] ?? 0));
    return sum;
  });
}

/** The same of histograms: what comes is added and what goes taken off, so that an hour of overlapping minutes costs no more than its columns. */
function rollingQuantiles(ring: readonly Uint32Array[], columns: readonly number[], span: number): (number | null)[][] {
  const counts = new Float64Array(BOUNDS);
  return columns.map((column, index) => {
    addTo(counts, ring[column], 1);
    const gone = columns[index - span];
    if (gone !== undefined) addTo(counts, ring[gone], -1);
    return quantilesOf(counts);
  });
}

function addTo(counts: Float64Array, histogram: Uint32Array | undefined, sign: 1 | -1): void {
  if (histogram === undefined) return;
  for (let bound = 0; bound < BOUNDS; bound++) counts[bound] = (counts[bound] ?? 0) + sign * (histogram[bound] ?? 0);
}

/** Of each, the middle, on a scale of ratios, of the class in which that share is reached. */
function quantilesOf(counts: Float64Array): (number | null)[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return quantiles.map(() => null);
  return quantiles.map((share) => {
    let seen = 0;
    const bound = counts.findIndex((count) => {
      seen += count;
      return seen >= share * total;
    });
    return Number((FIRST_BOUND_MS * BOUND_RATIO ** (bound - 0.5)).toPrecision(3));
  });
}

function emptyRow(buckets: number): Record<Measure, Float64Array> {
  const row = () => new Float64Array(buckets);
  return { requests: row(), failed: row(), answers: row(), refused: row(), tokens: row() };
}

function emptyHistograms(buckets: number): Record<Duration, Uint32Array[]> {
  return byDuration(() => Array.from({ length: buckets }, () => new Uint32Array(BOUNDS)));
}

export function byMeasure<Value>(make: (measure: Measure) => Value): Record<Measure, Value> {
  return {
    requests: make('requests'),
    failed: make('failed'),
    answers: make('answers'),
    refused: make('refused'),
    tokens: make('tokens'),
  };
}

function byDuration<Value>(make: (duration: Duration) => Value): Record<Duration, Value> {
  return { total: make('total'), firstToken: make('firstToken'), gateway: make('gateway') };
}

function readLabels(labels: Readonly<Record<string, string>>): TrafficLabels {
  const of = (name: keyof TrafficLabels) => labels[name] ?? '';
  return { model: of('model'), prompt: of('prompt'), variant: of('variant'), tenant: of('tenant') };
}
