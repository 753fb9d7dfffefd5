import { Histogram, type Registry } from 'prom-client';
import type { Durations } from './durations.ts';
import type { Series } from './series.ts';

export interface FoldedHistogramOptions {
  readonly name: string;
  readonly help: string;
  readonly buckets: readonly number[];
  readonly series: Series<Durations>;
  readonly registry: Registry;
}

/** A histogram for prom-client to print of what was counted elsewhere: its own can only be fed one value after the other. */
export class FoldedHistogram extends Histogram {
  readonly #options: FoldedHistogramOptions;

  constructor(options: FoldedHistogramOptions) {
    const { name, help, buckets, registry } = options;
    super({ name, help, labelNames: options.series.names, buckets: [...buckets], registers: [registry] });
    this.#options = options;
  }

  /** What prom-client prints, and makes its JSON of. */
  async getForPromString() {
    const { name, help, buckets, series } = this.#options;
    const values = [];
    for (const [labels, durations] of series.entries()) {
      let below = 0;
      for (const [at, count] of durations.counts.entries()) {
        below += count;
        const le = buckets[at] ?? '+Inf';
        values.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: below });
      }
      values.push({ metricName: `${name}_sum`, labels, value: durations.sum() });
      values.push({ metricName: `${name}_count`, labels, value: below });
    }
    return { name, help, type: 'histogram', values, aggregator: 'sum' };
  }
}
