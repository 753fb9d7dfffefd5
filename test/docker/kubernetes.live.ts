import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { parseAllDocuments } from 'yaml';
import { loadConfig } from '../../src/config.ts';
import { runCli } from '../helpers/serve-process.ts';
import { dockerFolder, root } from './support/files.ts';
import { writeSchemas } from './support/kubernetes-schemas.ts';
import { containerTools, type Ended } from './support/tools.ts';

/** The oldest that the chart says it is for, and the newest whose schemas are published. */
const VERSIONS = ['1.30', '1.37'];
/** Of the API's own, what the charts render. */
const KINDS = [
  'configmap',
  'deployment',
  'horizontalpodautoscaler',
  'job',
  'networkpolicy',
  'pod',
  'poddisruptionbudget',
  'service',
  'serviceaccount',
];
const folder = join(dockerFolder, 'kubernetes');
const examples = join(folder, 'examples');
const chart = join(folder, 'preamble');
const sweep = join(folder, 'training-sweep');

/** Helm is compiled on first use. */
t.setTimeout(1_200_000);
const tools = await containerTools();
const schemas = t.testdir();
for (const version of VERSIONS) await writeSchemas(tools, version, KINDS, join(schemas, version));

const manifestSchema = Type.Object({
  apiVersion: Type.String(),
  kind: Type.String(),
  metadata: Type.Object({ name: Type.String(), labels: Type.Optional(Type.Record(Type.String(), Type.String())) }),
  spec: Type.Optional(Type.Unknown()),
  data: Type.Optional(Type.Record(Type.String(), Type.String())),
});
type Manifest = Type.Static<typeof manifestSchema>;

/** Values files of the gateway's chart, and null for what they leave off. */
async function gatewayExamples(): Promise<string[]> {
  const files = await readdir(examples);
  const others = ['production-stack.values.yaml', 'prometheus-adapter.values.yaml', 'training-sweep.values.yaml'];
  return files.filter((file) => file.endsWith('.values.yaml') && !others.includes(file));
}

async function render(which: string, values: string, ...more: string[]): Promise<string> {
  const args = ['template', 'gateway', which, '--namespace', 'inference', '-f', join(examples, values), ...more];
  const { code, stdout, stderr } = await tools.run('helm', args);
  if (code !== 0) throw new Error(`helm template ${values}: ${stderr}`);
  return stdout;
}

function manifests(text: string): Manifest[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS())
    .filter((value) => value !== null)
    .map((value) => Value.Parse(manifestSchema, value));
}

function only(all: readonly Manifest[], kind: string, name = ''): Manifest {
  const [found, ...rest] = all.filter((manifest) => manifest.kind === kind && manifest.metadata.name.endsWith(name));
  if (found === undefined || rest.length > 0) throw new Error(`${rest.length + 1} of ${kind} ${name}`);
  return found;
}

async function kubeconform(text: string, version: string): Promise<Ended> {
  const location = join(schemas, version, '{{ .ResourceKind }}{{ .KindSuffix }}.json');
  return await tools.run('kubeconform', ['-schema-location', location, '-summary', '-'], { input: text });
}

async function conform(t: Test, text: string, version: string, about: string): Promise<void> {
  const { code, stdout, stderr } = await kubeconform(text, version);
  t.equal(code, 0, `${about}, Kubernetes ${version}`, { said: `${stdout}${stderr}` });
  t.match(stdout, /Valid: [1-9]\d*, Invalid: 0, Errors: 0, Skipped: 0/, `${about}, Kubernetes ${version}`);
}

t.test('helm finds nothing to mend in the charts', async (t) => {
  for (const [which, values] of [
    ...(await gatewayExamples()).map((file) => [chart, file]),
    [sweep, 'training-sweep.values.yaml'],
  ] as [string, string][]) {
    const { code, stdout, stderr } = await tools.run('helm', ['lint', '--strict', which, '-f', join(examples, values)]);
    t.equal(code, 0, values, { said: `${stdout}${stderr}` });
  }
});

t.test('what they render is what the API takes, without a field that it would drop', async (t) => {
  const everything = ['--set', 'serviceMonitor.enabled=true,prometheusRule.enabled=true,dashboards.enabled=true'];
  const more = ['--set', 'autoscaling.enabled=true,restartOnConfigChange=true'];
  for (const values of await gatewayExamples()) {
    const text = await render(chart, values, ...everything, ...more);
    for (const version of VERSIONS) await conform(t, text, version, values);
  }
  const jobs = await render(sweep, 'training-sweep.values.yaml');
  for (const version of VERSIONS) await conform(t, jobs, version, 'training sweep');
  const extension = await readFile(join(examples, 'inference-extension.yaml'), 'utf8');
  await conform(t, extension, '1.37', 'inference extension');
});

t.test('a field that nobody knows is found', async (t) => {
  const text = (await render(chart, 'vllm.values.yaml')).replace('revisionHistoryLimit:', 'revisionHistoryLimits:');
  const { code, stdout } = await kubeconform(text, '1.37');
  t.not(code, 0);
  t.match(stdout, /Deployment gateway-preamble is invalid.*revisionHistoryLimits/s);
});

t.test("the gateways' settings are what preamble takes", async (t) => {
  for (const values of await gatewayExamples()) {
    const text = only(manifests(await render(chart, values)), 'ConfigMap', 'preamble').data?.['preamble.yaml'] ?? '';
    const file = join(t.testdir(), 'preamble.yaml');
    await writeFile(file, text);
    const { config } = await loadConfig({ file, environment: {} });
    t.match(config, { listen: { host: '0.0.0.0', port: 8080 }, admin: { host: '0.0.0.0', port: 8081 } }, values);
  }
});

t.test('a password for operators is asked for by gateways, sent by the monitor, and in no manifest', async (t) => {
  const set = ['--set', 'adminService.passwordSecret=operators'];
  const text = await render(chart, 'vllm.values.yaml', ...set);
  for (const version of VERSIONS) await conform(t, text, version, 'with a password');
  const all = manifests(text);
  const { data = {} } = only(all, 'ConfigMap', 'preamble');
  const file = join(t.testdir(), 'preamble.yaml');
  await writeFile(file, data['preamble.yaml'] ?? '');
  const { config } = await loadConfig({ file, environment: {} });
  t.match(config.admin, { port: 8081, password: { file: '/run/secrets/preamble-admin/password' } });
  t.match(only(all, 'Deployment').spec, {
    template: {
      spec: {
        containers: [
          {
            livenessProbe: { httpGet: { path: '/healthz' } },
            readinessProbe: { httpGet: { path: '/readyz' } },
          },
        ],
      },
    },
  });
  t.match(text, '{ name: admin-password, mountPath: /run/secrets/preamble-admin, readOnly: true }');
  t.match(text, /name: admin-password\n +secret:\n +secretName: operators\n/);
  t.match(only(all, 'ServiceMonitor').spec, {
    endpoints: [
      {
        path: '/metrics',
        basicAuth: {
          username: { name: 'operators', key: 'username' },
          password: { name: 'operators', key: 'password' },
        },
      },
    ],
  });
  t.notMatch(await render(chart, 'vllm.values.yaml'), /basicAuth|admin-password/);
});

t.test(
  'rollouts are kept where they outlive the pod: one gateway without Redis, with a claim as its cache',
  async (t) => {
    const claim = ['--set', 'cache.volume.emptyDir=null,cache.volume.persistentVolumeClaim.claimName=cache'];
    const kept = async (values: string, ...more: string[]) => {
      const settings = only(manifests(await render(chart, values, ...more)), 'ConfigMap', 'preamble').data;
      return /stateFile: .*/.exec(settings?.['preamble.yaml'] ?? '')?.[0];
    };
    t.equal(await kept('embedded.values.yaml', ...claim), 'stateFile: /var/cache/preamble/rollouts.json');
    t.equal(await kept('embedded.values.yaml'), undefined, 'an emptyDir goes with its pod');
    t.equal(await kept('embedded.values.yaml', ...claim, '--set', 'replicas=2'), undefined, 'several need Redis');
    t.equal(await kept('embedded.values.yaml', ...claim, '--set', 'autoscaling.enabled=true'), undefined);
    t.equal(
      await kept('vllm.values.yaml', ...claim, '--set', 'replicas=1,autoscaling.enabled=false'),
      undefined,
      'Redis',
    );
    const own = ['--set', 'config.rollouts.stateFile=/elsewhere/r.json'];
    t.equal(await kept('embedded.values.yaml', ...claim, ...own), 'stateFile: /elsewhere/r.json');
  },
);

const podSchema = Type.Object({
  template: Type.Object({
    metadata: Type.Object({ labels: Type.Record(Type.String(), Type.String()) }),
    spec: Type.Object({
      terminationGracePeriodSeconds: Type.Integer(),
      automountServiceAccountToken: Type.Literal(false),
      securityContext: Type.Unknown(),
      containers: Type.Array(
        Type.Object({ securityContext: Type.Unknown(), args: Type.Optional(Type.Array(Type.String())) }),
        { minItems: 1, maxItems: 1 },
      ),
    }),
  }),
});
const serviceSchema = Type.Object({ selector: Type.Record(Type.String(), Type.String()), type: Type.String() });

t.test('pods have no rights, and longer to end than their drain takes', async (t) => {
  const all = manifests(
    await render(chart, 'vllm.values.yaml', '--set', 'config.limits.drainSeconds=90,preStopSeconds=10'),
  );
  const jobs = manifests(await render(sweep, 'training-sweep.values.yaml'));
  const gateway = Value.Parse(podSchema, only(all, 'Deployment').spec).template;
  t.ok(gateway.spec.terminationGracePeriodSeconds > 10 + 90 + 1);
  t.equal(jobs.length, 4);
  for (const { spec } of [gateway, ...jobs.map(({ spec }) => Value.Parse(podSchema, spec).template)]) {
    t.match(spec.securityContext, { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } });
    t.match(spec.containers[0]?.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  }
  for (const name of ['preamble', 'admin']) {
    const service = Value.Parse(serviceSchema, only(all, 'Service', name).spec);
    t.match(gateway.metadata.labels, service.selector, `the Service ${name} finds them`);
  }
});

t.test('the autoscaler asks for a metric that there is', async (t) => {
  const scaler = only(manifests(await render(chart, 'vllm.values.yaml')), 'HorizontalPodAutoscaler');
  const [, metric = 'none'] = /"metric":\{"name":"([^"]+)"/.exec(JSON.stringify(scaler.spec)) ?? [];
  t.match(await readFile(join(root, 'src/telemetry/request-metrics.ts'), 'utf8'), `name: '${metric}'`);
  t.match(await readFile(join(examples, 'prometheus-adapter.values.yaml'), 'utf8'), `as: ${metric} `.trim());
});

t.test('training jobs name flags that preamble train has', async (t) => {
  const { stdout: help } = await runCli(t, root, ['train', '--help']);
  for (const { spec } of manifests(await render(sweep, 'training-sweep.values.yaml'))) {
    const args = Value.Parse(podSchema, spec).template.spec.containers[0]?.args ?? [];
    t.equal(args[0], 'train');
    for (const flag of args.filter((arg) => arg.startsWith('--'))) t.match(help, `  ${flag} `, flag);
  }
});

t.test('values that would open the gateway, or that nobody knows, are refused', async (t) => {
  const refused = async (...set: string[]): Promise<Ended> =>
    await tools.run('helm', ['template', 'x', chart, '-f', join(examples, 'vllm.values.yaml'), ...set]);
  t.equal((await refused()).code, 0);
  for (const [setting, reason] of [
    ['config.tenants=null', /tenants/],
    ['config.listen.host=0.0.0.0', /listen/],
    ['image.tag=latest', /tag/],
    ['replcas=3', /replcas/],
    ['httpRoute.enabled=true', /parentRefs/],
  ] as const) {
    const { code, stderr } = await refused('--set', setting);
    t.not(code, 0, setting);
    t.match(stderr, reason, setting);
  }
});
