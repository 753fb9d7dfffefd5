import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { stringify } from 'yaml';
import { writePrompt } from '../../src/prompts/artifact-write.ts';
import { promptFromText } from '../../src/prompts/from-text.ts';
import { killAtExit, temporaryDirectory, until } from '../helpers/redis.ts';
import { tinyChatModel } from '../helpers/tiny-model.ts';
import { tinyModelDirectory } from '../prompts/support/tiny.ts';

const entry = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `preamble prompt …` as a process of its own. */
export function prompt(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [entry, 'prompt', ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

/** Versions of the prompt tiny/careful for the tiny model, each of its own text. */
export async function makeVersions(t: Test, ...versions: string[]): Promise<string> {
  const directory = await temporaryDirectory(t);
  for (const version of versions) {
    const wanted = { name: 'tiny/careful', version, position: 'system', text: `Be kind, says ${version}.` } as const;
    const { content, tensor } = await promptFromText(tinyModelDirectory, wanted);
    await writePrompt(directory, content, tensor);
  }
  return directory;
}

export interface GatewayOptions {
  readonly redis: Record<string, unknown>;
  readonly prompt?: string;
  readonly onPromptUnavailable?: string;
  readonly promptDirectories?: string[];
  readonly tenants?: unknown[];
  readonly slots?: number;
  /** What another gateway kept on its disk. */
  readonly cache?: string;
}

export interface TestGateway {
  readonly origin: string;
  readonly cache: string;
  readonly logs: readonly Record<string, unknown>[];
  events(name: string): Record<string, unknown>[];
  /** The label of the prompt that a request got, or its error's code. */
  ask(options?: AskOptions): Promise<string>;
  readiness(): Promise<{ status: number; body: unknown }>;
  kill(): Promise<void>;
}

export interface AskOptions {
  readonly maxTokens?: number;
  readonly key?: string;
}

/** `preamble serve` with the tiny model as a process of its own, on a machine of its own as far as its disk goes. */
export async function startGateway(t: Test, options: GatewayOptions): Promise<TestGateway> {
  const started = await launch(t, options);
  if (started.origin === null) throw new Error(`the gateway did not start: ${started.said}`);
  return started.gateway(started.origin);
}

/** The same, of one that is expected to end before it serves. */
export async function startInVain(t: Test, options: GatewayOptions): Promise<string> {
  const { said, child } = await launch(t, options);
  if (child.exitCode === null) throw new Error('it serves');
  return said;
}

async function launch(t: Test, options: GatewayOptions) {
  const cache = options.cache ?? (await temporaryDirectory(t));
  const directory = await temporaryDirectory(t);
  const config = join(directory, 'preamble.yaml');
  // A copy, as the engine keeps a folder of its own beside a model's files.
  await mkdir(join(directory, 'model'));
  for (const [name, content] of Object.entries(await tinyChatModel())) {
    await writeFile(join(directory, 'model', name), content);
  }
  await writeFile(config, stringify(settings(options)));
  const child = spawn(process.execPath, [entry, 'serve', '--config', config, '--port', '0'], {
    env: { ...process.env, PREAMBLE_CACHE: cache },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const end = async () => await stop(child);
  killAtExit(child);
  t.teardown(end);
  const logs: Record<string, unknown>[] = [];
  let said = '';
  let out = '';
  createInterface(child.stderr).on('line', (line) => {
    if (line.startsWith('{')) logs.push(JSON.parse(line));
    else said += `${line}\n`;
  });
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  await until(() => out.includes('Try it') || child.exitCode !== null);
  const origin = /^Preamble serves (http\S+)\/v1$/m.exec(out)?.[1] ?? null;
  return { child, said, origin, gateway: (at: string) => gatewayOf(at, { cache, logs, end }) };
}

function gatewayOf(
  origin: string,
  { cache, logs, end }: { cache: string; logs: Record<string, unknown>[]; end(): Promise<void> },
): TestGateway {
  return {
    origin,
    cache,
    logs,
    events: (name) => logs.filter((line) => line['event'] === name),
    async ask({ maxTokens = 1, key } = {}) {
      const response = await fetch(`${origin}/v1/completions`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        },
        body: JSON.stringify({ model: 'tiny', prompt: 'Hello', max_tokens: maxTokens, ignore_eos: true }),
      });
      const body: unknown = await response.json();
      return response.ok ? (response.headers.get('x-preamble-prompt') ?? '') : errorCode(body);
    },
    async readiness() {
      const response = await fetch(`${origin}/readyz`);
      return { status: response.status, body: await response.json() };
    },
    kill: end,
  };
}

function settings({ redis, prompt, onPromptUnavailable, promptDirectories, tenants, slots }: GatewayOptions) {
  return {
    models: {
      tiny: {
        prompt: prompt ?? 'tiny/careful',
        onPromptUnavailable: onPromptUnavailable ?? 'refuse',
        backend: { kind: 'embedded', model: './model', slots: slots ?? 8, queue: 1000, threads: 1 },
      },
    },
    promptDirectories: promptDirectories ?? [],
    tenants: tenants ?? [],
    redis: { onUnavailable: 'local', ...redis },
  };
}

function errorCode(body: unknown): string {
  const text = JSON.stringify(body);
  return /"code":"([a-z_]+)"/.exec(text)?.[1] ?? text;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
