import { writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import pino from 'pino';
import type { Test } from 'tap';
import { stringify } from 'yaml';
import { createAdmin } from '../../src/admin.ts';
import { createApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import { GRAFT_FILE } from '../../src/graft/graft-file.ts';
import { writePrompt } from '../../src/prompts/artifact-write.ts';
import { createGateway, prepare } from '../../src/startup/live-gateway.ts';
import { openRollouts } from '../../src/startup/open-rollouts.ts';
import { openShared } from '../../src/startup/shared.ts';
import type { Observations } from '../../src/telemetry/observations.ts';
import { startTracing } from '../../src/telemetry/open-telemetry.ts';
import { content } from '../prompts/support/tiny.ts';
import type { FakeVllm } from './fake-vllm.ts';
import { writeGraftRecord } from './graft-record.ts';

export interface ProxySettings {
  /** The model's `backend`, beside kind and urls. */
  backend?: object;
  /** The model's own settings, beside backend and prompt. */
  model?: object;
  /** Further models, by name. */
  models?: object;
  /** Further settings. */
  more?: object;
  /** Without: a soft prompt of three rows is in front. */
  prompt?: string | null;
  /** Of the made-up prompt `test/kind`. */
  rows?: number;
  /** Rows of further versions of it. */
  versions?: Record<string, number>;
  hiddenSize?: number;
  position?: 'system' | 'user';
  text?: string;
  /** `preamble-graft.json` beside the settings, with the made-up prompt in it, or with another. */
  graft?: 'own' | 'other';
  /** What else lies beside `preamble.yaml`. */
  files?: Parameters<Test['testdir']>[0];
}

export interface BuiltProxy {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  readonly admin: string;
  /** Where `preamble.yaml` is. */
  readonly folder: string;
  readonly observations: Observations;
  /** Every log line so far, parsed. */
  readonly logs: Record<string, unknown>[];
  decisions(): Record<string, unknown>[];
  status(): Promise<ProxyStatus>;
  /** Resolves when `/status` says that as many requests are under way. */
  outstanding(count: number): Promise<void>;
  post(body: unknown, options?: PostOptions): Promise<Answer>;
  /** Takes over `preamble.yaml` as it is now. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

export interface ProxyStatus {
  reasons: string[];
  models: {
    name: string;
    problem: string | null;
    adapters: string[];
    servers: { url: string; healthy: boolean; outstanding: number; weight: number; problem: string | null }[];
  }[];
}

export interface PostOptions {
  path?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly text: string;
  /** Throws where the answer is no JSON. */
  json(): { error: { message: string; type: string; param: string | null; code: string | null } } & Record<
    string,
    unknown
  >;
}

/** The name that clients use for the model, and a question for it. */
export const model = 'chat';
export const question = { model, messages: [{ role: 'user' as const, content: 'Hi' }] };

/** Writes `preamble.yaml` and its prompt below a folder of the test's, and says where. */
export async function writeProxySettings(
  t: Test,
  fakes: readonly Pick<FakeVllm, 'origin'>[],
  settings: ProxySettings = {},
): Promise<string> {
  const folder = t.testdir(settings.files ?? {});
  const { rows = 3, hiddenSize = 4, position = 'system', text } = settings;
  const { text: _, ...untold } = content;
  const written = await writePrompt(
    join(folder, 'prompts'),
    { ...untold, name: 'test/kind', position, model: { ...content.model, hiddenSize }, ...(text && { text }) },
    { dtype: 'F32', tokens: rows, hiddenSize, bytes: patterned(rows * hiddenSize) },
  );
  const { version, digest } = {
    version: content.version,
    digest: settings.graft === 'other' ? 'cd'.repeat(32) : written.digest,
  };
  const grafted = settings.graft === undefined ? {} : { graft: GRAFT_FILE };
  if (settings.graft !== undefined) {
    const name = settings.graft === 'other' ? 'test/other' : 'test/kind';
    await writeGraftRecord(folder, [{ name, version, digest, position, tokens: rows }]);
  }
  for (const [version, more] of Object.entries(settings.versions ?? {})) {
    await writePrompt(
      join(folder, 'prompts'),
      { ...untold, name: 'test/kind', version, position, model: { ...content.model, hiddenSize } },
      { dtype: 'F32', tokens: more, hiddenSize, bytes: patterned(more * hiddenSize) },
    );
  }
  const yaml = {
    listen: { port: 0 },
    admin: { port: 0 },
    promptDirectories: ['prompts'],
    models: {
      [model]: {
        prompt: settings.prompt === undefined ? 'test/kind' : settings.prompt,
        onPromptUnavailable: 'refuse',
        backend: { kind: 'vllm', urls: fakes.map(({ origin }) => origin), ...grafted, ...settings.backend },
        ...settings.model,
      },
      ...settings.models,
    },
    ...settings.more,
  };
  await writeFile(join(folder, 'preamble.yaml'), stringify(yaml));
  return folder;
}

/** The whole gateway on real sockets, in this process, in front of such servers; the test's end closes it. Ready unless `waits` says not to wait. */
export async function buildProxy(
  t: Test,
  fakes: readonly Pick<FakeVllm, 'origin'>[],
  settings: ProxySettings & { waits?: boolean } = {},
): Promise<BuiltProxy> {
  const folder = await writeProxySettings(t, fakes, settings);
  const logs: Record<string, unknown>[] = [];
  const destination = new Writable({
    write(line, _encoding, done) {
      logs.push(JSON.parse(String(line)));
      done();
    },
  });
  const logger = pino({ level: 'trace', serializers: { err: pino.stdSerializers.errWithCause } }, destination);
  const load = () => loadConfig({ file: join(folder, 'preamble.yaml'), environment: {} });
  const loaded = await load();
  const { config } = loaded;
  const shared = await openShared(config, logger);
  const open = openRollouts(shared, loaded, logger);
  const gateway = createGateway(await prepare(config, shared, null, open), logger, () => {}, shared, open);
  shared?.prompts.watch(gateway.refreshPrompts);
  const tracing = config.tracing === undefined ? null : startTracing(config.tracing, logger);
  const app = await createApp(gateway, logger, tracing);
  const admin = await createAdmin(gateway, logger);
  const listen = { host: '127.0.0.1', port: 0 };
  const [origin, adminOrigin] = [await app.listen(listen), await admin.listen(listen)];
  let closed: Promise<void> | null = null;
  const close = () => {
    closed ??= app.close().then(async () => {
      await admin.close();
      await open[Symbol.asyncDispose]();
      await gateway.close();
      await tracing?.close();
      await shared?.[Symbol.asyncDispose]();
    });
    return closed;
  };
  t.teardown(close);
  const ready = gateway.readiness.begin();
  ready.catch(() => {});
  if (settings.waits !== false) await ready;
  const status = async (): Promise<ProxyStatus> => JSON.parse(await (await fetch(`${adminOrigin}/status`)).text());
  return {
    origin,
    admin: adminOrigin,
    folder,
    observations: gateway.observations,
    logs,
    decisions: () => logs.filter(({ event }) => event === 'refusal.decision'),
    status,
    async outstanding(count) {
      const now = async () =>
        (await status()).models.flatMap(({ servers }) => servers).reduce((sum, server) => sum + server.outstanding, 0);
      while ((await now()) !== count) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    post: (body, options) => post(origin, body, options),
    reload: async () => await gateway.reload((await load()).config),
    close,
  };
}

/** Sends a body, as JSON where it is not text or bytes already, and reads the whole answer. */
export async function post(origin: string, body: unknown, options: PostOptions = {}): Promise<Answer> {
  const response = await fetch(origin + (options.path ?? '/v1/chat/completions'), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...options.headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
    ...(options.signal && { signal: options.signal }),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const text = bytes.toString();
  return { status: response.status, headers: response.headers, bytes, text, json: () => JSON.parse(text) };
}

/** A request whose answer the test reads as it likes, on a connection of its own; it breaks off where the test says `destroy`. */
export async function open(origin: string, body: object, path = '/v1/chat/completions'): Promise<OpenAnswer> {
  const request = httpRequest(origin + path, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json' },
  });
  request.on('error', () => {});
  request.end(JSON.stringify(body));
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
  });
  answer.catch(() => {});
  return { answer, destroy: () => request.destroy() };
}

export interface OpenAnswer {
  /** When its head has come. */
  readonly answer: Promise<IncomingMessage>;
  destroy(): void;
}

/** The next bytes of an answer, as text. */
export async function nextText(answer: IncomingMessage): Promise<string> {
  while (true) {
    const chunk: Buffer | null = answer.read();
    if (chunk !== null) return chunk.toString();
    await new Promise((resolve) => answer.once('readable', resolve));
  }
}

export async function restOf(answer: IncomingMessage): Promise<string> {
  return (await buffer(answer)).toString();
}

/** float32 values that no two rows share. */
function patterned(count: number): Uint8Array {
  return new Uint8Array(Float32Array.from({ length: count }, (_, index) => (index % 97) / 8 - 3).buffer);
}
