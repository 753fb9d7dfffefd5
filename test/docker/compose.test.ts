import { execFileSync } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import t from 'tap';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config.ts';
import { copyOfDocker, dockerFolder, readYaml } from './support/files.ts';

const names = Type.Optional(Type.Array(Type.String()));
const file = Type.Record(Type.String(), Type.Object({ file: Type.String() }));
const serviceSchema = Type.Object({
  image: Type.String(),
  profiles: Type.Array(Type.String(), { minItems: 1 }),
  user: Type.Optional(Type.String()),
  ports: names,
  volumes: names,
  secrets: names,
  configs: Type.Optional(Type.Array(Type.Object({ source: Type.String(), target: Type.String() }))),
  depends_on: Type.Optional(Type.Record(Type.String(), Type.Object({ condition: Type.String() }))),
  healthcheck: Type.Optional(Type.Object({ test: names })),
  cap_drop: names,
  security_opt: names,
  read_only: Type.Optional(Type.Boolean()),
  stop_grace_period: Type.Optional(Type.String()),
  deploy: Type.Object({ resources: Type.Object({ limits: Type.Object({ memory: Type.String() }) }) }),
});
const composeSchema = Type.Object({
  services: Type.Record(Type.String(), serviceSchema),
  volumes: Type.Record(Type.String(), Type.Object({})),
  configs: file,
  secrets: file,
});

const scrapeSchema = Type.Object({
  scrape_configs: Type.Array(
    Type.Object({
      job_name: Type.String(),
      basic_auth: Type.Optional(Type.Object({ username: Type.String(), password_file: Type.String() })),
    }),
  ),
});

type Compose = Static<typeof composeSchema>;

/** Those that Preamble's own image makes healthy or not. */
const gateways = ['gateway-cpu', 'gateway'];

async function compose(): Promise<Compose> {
  return Value.Parse(composeSchema, await readYaml('compose.yaml'));
}

t.test('every service is bounded, without rights, of a version that is named, and on loopback only', async (t) => {
  const { services } = await compose();
  t.same(Object.keys(services).sort(), [
    'fluent-bit',
    'gateway',
    'gateway-cpu',
    'grafana',
    'loki',
    'prometheus',
    'redis',
    'vllm',
  ]);
  for (const [name, service] of Object.entries(services)) {
    t.same(service.cap_drop, ['ALL'], name);
    t.same(service.security_opt, ['no-new-privileges:true'], name);
    // vLLM compiles kernels into its home.
    t.equal(service.read_only === true, name !== 'vllm', name);
    if (!gateways.includes(name)) t.match(service.image, /^[a-z/-]+:v?\d+\.\d+/, name);
    for (const port of service.ports ?? []) t.match(port, /^127\.0\.0\.1:\d+:\d+$/, name);
  }
});

t.test('the profile cpu is one gateway alone, which waits for nobody', async (t) => {
  const { services } = await compose();
  const small = Object.entries(services).filter(([, { profiles }]) => profiles.includes('cpu'));
  t.same(
    small.map(([name]) => name),
    ['gateway-cpu'],
  );
  t.equal(services['gateway-cpu']?.depends_on, undefined);
});

t.test('who waits for health waits for something that has a check', async (t) => {
  const { services } = await compose();
  for (const [name, { depends_on = {}, profiles }] of Object.entries(services)) {
    for (const [other, { condition }] of Object.entries(depends_on)) {
      const checked = services[other]?.healthcheck?.test !== undefined;
      t.equal(condition, checked ? 'service_healthy' : 'service_started', `${name} waits for ${other}`);
      for (const profile of profiles) t.ok(services[other]?.profiles.includes(profile), `${other} is in ${profile}`);
    }
  }
});

t.test('a gateway is given longer to end than its drain takes', async (t) => {
  const { services } = await compose();
  for (const name of gateways) t.ok(Number.parseInt(services[name]?.stop_grace_period ?? '0', 10) >= 30, name);
});

t.test('what is written out for a password of operators holds where it is taken in', async (t) => {
  const [settings, services] = await Promise.all(
    ['prometheus/prometheus.yaml', 'compose.yaml'].map((path) => readFile(join(dockerFolder, path), 'utf8')),
  );
  const takenIn = (text = '') => text.replaceAll(/# (?=(basic_auth|secrets): )/g, '');
  const { scrape_configs } = Value.Parse(scrapeSchema, parse(takenIn(settings)));
  t.same(scrape_configs[0]?.basic_auth, { username: 'prometheus', password_file: '/run/secrets/admin-password' });
  const { services: all } = Value.Parse(composeSchema, parse(takenIn(services), { merge: true }));
  for (const name of ['gateway-cpu', 'prometheus']) t.same(all[name]?.secrets, ['admin-password'], name);
});

t.test('every file that is named is there, or is made by setup.sh', async (t) => {
  const { services, configs, secrets, volumes } = await compose();
  const folder = await copyOfDocker(t);
  execFileSync(join(folder, 'setup.sh'));
  const named = [...Object.values(configs), ...Object.values(secrets)].map(({ file }) => file);
  for (const [name, service] of Object.entries(services)) {
    for (const { source } of service.configs ?? []) t.ok(configs[source], `${name}: ${source}`);
    for (const source of service.secrets ?? []) t.ok(secrets[source], `${name}: ${source}`);
    for (const [source = ''] of (service.volumes ?? []).map((volume) => volume.split(':'))) {
      if (source.startsWith('.')) named.push(source);
      else t.ok(volumes[source], `${name}: ${source}`);
    }
  }
  for (const path of named) await t.resolves(access(join(folder, path)), path);
  for (const { file } of Object.values(secrets)) t.match(file, /^\.\/local\//, 'no secret is in the repository');
});

t.test('the small gateway, which has no Redis, keeps its rollouts on a volume of its own', async (t) => {
  const { services } = await compose();
  const { config } = await loadConfig({ file: join(dockerFolder, 'preamble.cpu.yaml'), environment: {} });
  t.equal(config.redis, undefined);
  const mounted = (services['gateway-cpu']?.volumes ?? []).map((volume) => volume.split(':')[1]);
  t.ok(mounted.includes(dirname(config.rollouts?.stateFile ?? '')));
});
