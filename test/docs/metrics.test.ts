import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { collectDefaultMetrics, Registry } from 'prom-client';
import t from 'tap';
import { parse } from 'yaml';
import { readPage, readPages, root } from './support/pages.ts';

t.test('every metric that is named is exported', async (t) => {
  // test/telemetry/metrics-documented.test.ts holds this table against the code.
  const names = new Set<string>();
  for (const { rows } of (await readPage('docs/metrics.md')).tables) {
    for (const [name = [], kind] of rows) for (const metric of name) if (kind !== undefined) names.add(metric);
  }
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const { name } of registry.getMetricsAsArray()) names.add(name);
  t.ok(names.has('preamble_decisions_total') && names.has('nodejs_eventloop_lag_p99_seconds'));
  let named = 0;
  for (const { path, spans, blocks } of await readPages()) {
    const text = [...spans, ...blocks.map((block) => block.text)].join('\n');
    for (const [metric] of text.matchAll(/\b(?:preamble|nodejs|process)_[a-z0-9_]+/g)) {
      named++;
      t.ok(names.has(metric.replace(/_(?:bucket|sum|count)$/, '')) || names.has(metric), `${path}: ${metric}`);
    }
  }
  t.ok(named > 20, `${named} were looked up`);
});

t.test('every alert that is named is one', async (t) => {
  const rules: { groups: { rules: { alert?: string }[] }[] } = parse(
    await readFile(join(root, 'docker/prometheus/rules.yaml'), 'utf8'),
  );
  const alerts = rules.groups.flatMap((group) => group.rules.flatMap(({ alert }) => alert ?? []));
  const named = (await readPages()).flatMap(({ path, spans }) =>
    spans
      .filter((span) => /^Preamble[A-Z][A-Za-z]+$/.test(span) && span !== 'PreambleError')
      .map((name) => ({ path, name })),
  );
  for (const { path, name } of named) t.ok(alerts.includes(name), `${path}: ${name}`);
  t.ok(named.length > 4);
});
