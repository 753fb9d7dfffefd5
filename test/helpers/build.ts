import type { Server } from 'node:http';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { OpenAI } from 'openai';
import pino from 'pino';
import type { Test } from 'tap';
import { createApp } from '../../src/app.ts';
import type { Backend } from '../../src/backends/backend.ts';
import { createEmbeddedBackend } from '../../src/backends/embedded/embedded.ts';
import type { EmbeddedModel } from '../../src/backends/embedded/model.ts';
import { trackReadiness } from '../../src/backends/readiness.ts';
import type { Limits } from '../../src/config/schema.ts';
import type { EngineOptions } from '../../src/engine/engine.ts';
import type { Engine } from '../../src/engine/generation.ts';
import type { Gateway } from '../../src/gateway.ts';
import type { GuardPolicy } from '../../src/guard/guard.ts';
import type { LimitCounters } from '../../src/limits/counters.ts';
import { createLocalCounters } from '../../src/limits/local-counters.ts';
import { loadChatTemplate } from '../../src/model/chat/chat-template.ts';
import { defaultModelName } from '../../src/model/known-models.ts';
import { obtainModel } from '../../src/model/obtain/obtain.ts';
import { loadTokenizer } from '../../src/model/tokenizer/tokenizer.ts';
import type { ResponseStore } from '../../src/openai/responses/store.ts';
import type { ModelPolicy, PolicySnapshot, TenantPolicy } from '../../src/policy/snapshot.ts';
import { identifyModel } from '../../src/prompts/model-identity.ts';
import { createRefusalDetector } from '../../src/refusal/phrase-detector.ts';
import { createSnapshots } from '../../src/startup/snapshots.ts';
import { createObservations, type Observations } from '../../src/telemetry/observations.ts';
import { startTinyEngine, tinyChatModel } from './tiny-model.ts';

export interface BuildOptions {
  /** What the embedded backend runs; not needed with another backend. */
  engine?: Engine;
  backend?: Backend;
  /** Where answers of `/v1/responses` are kept; nowhere if left out. */
  responses?: ResponseStore;
  /** Of the checkpoint whose tokenizer and template are used; the default model's if left out. */
  directory?: string;
  limits?: Partial<Limits>;
  policy?: Partial<ModelPolicy>;
  /** Names of further models, all answered by the same engine. */
  models?: readonly string[];
  /** By the SHA-256 of their keys, hex. */
  tenants?: ReadonlyMap<string, TenantPolicy>;
  counters?: LimitCounters;
  logContent?: boolean;
  guard?: GuardPolicy;
  /** The model never comes. */
  loading?: boolean;
}

export interface Built {
  /** `http://127.0.0.1:PORT` */
  origin: string;
  client: OpenAI;
  observations: Observations;
  /** What listens. */
  server: Server;
  /** Every log line, parsed. */
  logs: Record<string, unknown>[];
  decisions(): Record<string, unknown>[];
  close(): Promise<void>;
}

export const modelName = 'test/model';

/** The whole gateway on a real socket, with the engine that is given; the test's end closes it. */
export async function build(t: Test, options: BuildOptions): Promise<Built> {
  const logs: Record<string, unknown>[] = [];
  const destination = new Writable({
    write(line, _encoding, done) {
      logs.push(JSON.parse(String(line)));
      done();
    },
  });
  const load = async (): Promise<EmbeddedModel> => {
    if (options.loading === true) return await new Promise<never>(() => {});
    const directory = options.directory ?? (await obtainModel(defaultModelName)).directory;
    const [tokenizer, template] = [await loadTokenizer(directory), await loadChatTemplate(directory)];
    const identity = await identifyModel(directory, { tokenizer });
    if (options.engine === undefined) throw new Error('neither an engine nor a backend was given');
    return { engine: options.engine, tokenizer, template, identity };
  };
  const onIgnoredField = (field: string) => logger.warn({ event: 'field.ignored', field });
  const logger = pino({ level: 'info' }, destination);
  const names = [modelName, ...(options.models ?? [])];
  const backend =
    options.backend ?? createEmbeddedBackend({ load, onIgnoredField, sampling: { temperature: 1, topP: 1 } });
  const backends = new Map(names.map((name) => [name, backend]));
  const policy: ModelPolicy = {
    backend: 'embedded',
    prompt: { kind: 'none' },
    onPromptUnavailable: 'refuse',
    ...options.policy,
  };
  const snapshot: PolicySnapshot = {
    models: new Map(names.map((name) => [name, policy])),
    aliases: new Map(),
    tenants: options.tenants ?? new Map(),
  };
  const observations = createObservations((err) => logger.error({ err }, 'an observer failed'));
  const gateway: Gateway = {
    ...createSnapshots({
      policy: snapshot,
      backends,
      logContent: options.logContent ?? false,
      guard: options.guard ?? null,
    }),
    observations,
    rollouts: null,
    findPrompts: async () => ({ versions: [], broken: [] }),
    readiness: trackReadiness(backends),
    detector: createRefusalDetector(),
    responses: options.responses ?? null,
    redisState: () => null,
    adminPassword: () => null,
    counters: options.counters ?? createLocalCounters(),
    limits: {
      bodyBytes: 4 * 2 ** 20,
      requestSeconds: 60,
      stalledClientSeconds: 30,
      drainSeconds: 5,
      ...options.limits,
    },
    passThrough: [],
  };
  const app = await createApp(gateway, logger);
  const origin = await app.listen({ host: '127.0.0.1', port: 0 });
  const ready = gateway.readiness.begin();
  if (options.loading !== true) await ready;
  t.teardown(() => app.close());
  return {
    origin,
    client: new OpenAI({ baseURL: `${origin}/v1`, apiKey: 'none', maxRetries: 0 }),
    observations,
    server: app.server,
    logs,
    decisions: () => logs.filter((line) => line['event'] === 'refusal.decision'),
    close: () => app.close(),
  };
}

export async function postJson(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  });
}

export async function collect<Item>(source: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of source) items.push(item);
  return items;
}

export interface BuiltTiny extends Built {
  engine: Engine;
}

/** The same on the tiny model, whose engine runs one answer at a time and lets one wait unless told otherwise. */
export async function buildTiny(
  t: Test,
  {
    engineOptions,
    ...options
  }: Omit<BuildOptions, 'engine' | 'directory'> & { engineOptions?: Partial<EngineOptions> } = {},
): Promise<BuiltTiny> {
  const directory = t.testdir(await tinyChatModel());
  const engine = await startTinyEngine(directory, { slots: 1, queue: 1, ...engineOptions });
  t.teardown(() => engine.close());
  return { engine, ...(await build(t, { ...options, engine, directory })) };
}

/** Resolves when the condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}
