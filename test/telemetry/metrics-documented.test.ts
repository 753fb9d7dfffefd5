import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { Registry } from 'prom-client';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config.ts';
import { createGateway, prepare } from '../../src/startup/live-gateway.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { createRequestMetrics } from '../../src/telemetry/request-metrics.ts';
import { createStateMetrics } from '../../src/telemetry/state-metrics.ts';
import { writeProxySettings } from '../helpers/build-proxy.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const rulesFile = 'docker/prometheus/rules.yaml';

interface Described {
  name: string;
  type: string;
  labels: string;
  help: string;
}

/** A gateway that answers nobody, with a Redis, so that there is every metric. */
async function gatewayOf(t: Test) {
  const folder = await writeProxySettings(t, [{ origin: 'http://127.0.0.1:1' }]);
  const { config } = await loadConfig({ file: join(folder, 'preamble.yaml'), environment: {} });
  const gateway = createGateway(await prepare(config), pino({ level: 'silent' }), () => {});
  t.teardown(() => gateway.close());
  return { ...gateway, redisState: () => ({ status: 'connected' }) as const };
}

async function exported(t: Test): Promise<Described[]> {
  const registry = new Registry();
  const gateway = await gatewayOf(t);
  createRequestMetrics(registry, gateway.observations);
  createStateMetrics(registry, gateway);
  return registry.getMetricsAsArray().map((metric) => {
    const { name, help } = metric;
    const labels: unknown = Reflect.get(metric, 'labelNames');
    const names = Array.isArray(labels) ? labels.map(String).join(', ') : '';
    return { name, type: String(Reflect.get(metric, 'type') ?? 'histogram'), labels: names, help };
  });
}

t.test('docs/metrics.md has every metric, as it is', async (t) => {
  const page = await readFile(join(root, 'docs/metrics.md'), 'utf8');
  const wanted = (await exported(t)).map(
    ({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${labels} | ${help} |`,
  );
  const found = page.split('\n').filter((line) => line.startsWith('| `preamble_'));
  t.strictSame(found, wanted);
});

t.test('rules and boards ask for nothing that is not exported or recorded', async (t) => {
  const gateway = await gatewayOf(t);
  const metrics = createMetrics(gateway);
  t.teardown(metrics.close);
  const { text } = await metrics.print('');
  const names = new Set(['up']);
  for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    names.add(name);
    if (type === 'histogram') for (const part of ['bucket', 'sum', 'count']) names.add(`${name}_${part}`);
  }
  const rules: { groups: { rules: { record?: string; expr: string; annotations?: { runbook_url: string } }[] }[] } =
    parse(await readFile(join(root, rulesFile), 'utf8'));
  const all = rules.groups.flatMap((group) => group.rules);
  for (const { record } of all) if (record !== undefined) names.add(record);
  const check = (expression: string, where: string) => {
    const used = expression.match(/\b(?:preamble|nodejs|process)[_:][a-z0-9_:]+/g) ?? [];
    for (const name of used) t.ok(names.has(name), `${where}: ${name}`);
    return used.length;
  };
  for (const { expr } of all) t.ok(check(expr, rulesFile) > 0, expr);

  const boards = (await readdir(join(root, 'docker/grafana'))).filter((file) => file.endsWith('.json'));
  t.equal(boards.length, 2);
  for (const file of boards) {
    const board: { panels: { datasource: { type: string }; targets: { expr: string }[] }[] } = JSON.parse(
      await readFile(join(root, 'docker/grafana', file), 'utf8'),
    );
    for (const { datasource, targets } of board.panels) {
      if (datasource.type !== 'prometheus') continue;
      for (const { expr } of targets) t.ok(check(expr, file) > 0, expr);
    }
  }
});

t.test('every alert names a runbook that is there', async (t) => {
  const text = await readFile(join(root, rulesFile), 'utf8');
  const alerts = text.match(/- alert:/g)?.length;
  const runbooks = [...text.matchAll(/runbook_url: (\S+)/g)].map(([, path = '']) => path);
  t.equal(runbooks.length, alerts);
  for (const path of runbooks) t.match(await readFile(join(root, path), 'utf8'), /^# .*\n\n\*\*Means:\*\*/, path);
});
