import { setTimeout as sleep } from 'node:timers/promises';

export interface Sample {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly value: number;
}

/** What `/metrics` prints, once it is as wanted. */
export async function scrape(admin: string, isWanted: (samples: Sample[]) => boolean = () => true): Promise<Sample[]> {
  while (true) {
    const samples = parseMetrics(await (await fetch(`${admin}/metrics`)).text());
    if (isWanted(samples)) return samples;
    await sleep(5);
  }
}

/** Prometheus' text format, as far as it is printed here: a line that is none of it throws. */
export function parseMetrics(text: string): Sample[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', inner = '', value = ''] = /^([a-z_][a-z0-9_]*)(?:\{(.*)\})? (\S+)$/i.exec(line) ?? [];
      if (name === '') throw new Error(`no metric: ${line}`);
      const labels = [...inner.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', said = '']) => [
        key,
        said,
      ]);
      return {
        name,
        labels: Object.fromEntries(labels),
        value: value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value),
      };
    });
}

/** The sum over all that have these labels; NaN where there is none. */
export function sumOf(samples: readonly Sample[], name: string, labels: Record<string, string | RegExp>): number {
  const found = samples.filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([key, wanted]) => {
        const said = sample.labels[key] ?? '';
        return typeof wanted === 'string' ? said === wanted : wanted.test(said);
      }),
  );
  return found.length === 0 ? Number.NaN : found.reduce((sum, { value }) => sum + value, 0);
}
