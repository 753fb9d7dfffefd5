export const OPEN_METRICS = 'application/openmetrics-text';

/**
 * Prometheus' text as OpenMetrics 1.0 wants it: counters are named without `_total` where they are described, no empty lines, `# EOF` at the
 * end. prom-client prints it too, but renames the counters for good when it does, so that one who asks for the old text after that gets wrong names.
 */
export function toOpenMetrics(text: string): string {
  const counters = new Set([...text.matchAll(/^# TYPE (\S+)_total counter$/gm)].map(([, name]) => name));
  const lines = text.split('\n').filter((line) => line !== '');
  const described = lines.map((line) =>
    line.replace(/^(# (?:HELP|TYPE) )(\S+)_total /, (whole, start, name) =>
      counters.has(name) ? `${start}${name} ` : whole,
    ),
  );
  return `${described.join('\n')}\n# EOF\n`;
}
