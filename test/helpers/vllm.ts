import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { defaultModelName } from '../../src/model/known-models.ts';
import { obtainModel } from '../../src/model/obtain/obtain.ts';

export interface VllmServer {
  /** `http://127.0.0.1:PORT` */
  origin: string;
  /** What the server calls the model, for a request's `model`. */
  modelName: string;
  /** Where the server's own messages are; null where it was running already. */
  log: string | null;
  /** Ends the server with all its processes; does nothing to one that was running already. */
  stop(): Promise<void>;
}

export interface VllmOptions {
  /** A Hugging Face directory. Where it is given the server is always one's own; left out, the default model is served. */
  directory?: string;
  extraArguments?: string[];
  startLimitMs?: number;
}

/** An origin where a server with the default model and `--enable-prompt-embeds` runs: several test files then share it (with-vllm.ts). */
export const sharedServer = 'PREAMBLE_TEST_VLLM_URL';

/** It takes 60 to 90 s on two idle cores, and took 230 s on busy ones. Below tap's own limit for a test file, which would not say why. */
const START_LIMIT_MS = 280_000;
/** From SIGTERM to SIGKILL. */
const STOP_LIMIT_MS = 10_000;
const POLL_MS = 250;
const LOG_TAIL_LINES = 30;

const ModelList = Type.Object({ data: Type.Array(Type.Object({ id: Type.String() }), { minItems: 1 }) });

/**
 * Pipe 3 stays open as long as the process that started this one: its end, however it came, ends the whole group. Without that, a
 * test that was killed would leave gigabytes running.
 */
const WITH_PARENT = '(trap "" TERM; read -r _ <&3; kill -TERM 0; sleep 5; kill -KILL 0) & exec "$@" 3<&-';

/** A real vLLM on the CPU that serves the default model: the shared one where there is one, else one of its own, ready to answer. */
export async function startVllm(options: VllmOptions = {}): Promise<VllmServer> {
  const running = process.env[sharedServer];
  if (running && options.directory === undefined && options.extraArguments === undefined) {
    const origin = running.replace(/\/+$/, '');
    return { origin, modelName: await servedModel(origin), log: null, stop: async () => {} };
  }
  const directory = options.directory ?? (await obtainModel(defaultModelName)).directory;
  const script = fileURLToPath(new URL('../../scripts/python-env.sh', import.meta.url));
  const { stdout } = await promisify(execFile)('bash', [script, 'vllm']);
  const port = await freePort();
  const modelName = basename(directory);
  const log = join(tmpdir(), `preamble-vllm-${process.pid}-${port}.log`);
  const file = openSync(log, 'w');
  const child = spawn(
    'sh',
    ['-c', WITH_PARENT, 'sh', stdout.trim(), ...serverArguments(directory, modelName, port, options)],
    {
      detached: true,
      stdio: ['ignore', file, file, 'pipe'],
      env: {
        ...process.env,
        VLLM_CPU_KVCACHE_SPACE: '1',
        OMP_NUM_THREADS: '2',
        HF_HUB_OFFLINE: '1',
        VLLM_NO_USAGE_STATS: '1',
      },
    },
  );
  closeSync(file);
  const ended = once(child, 'exit');
  const signalGroup = (signal: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // Nobody is left in the group.
    }
  };
  const stop = async () => {
    signalGroup('SIGTERM');
    await Promise.race([ended, sleep(STOP_LIMIT_MS, null, { ref: false })]);
    // The model runs in a process of its own, which outlives the one that was asked to end for a moment.
    signalGroup('SIGKILL');
    await ended;
  };
  const origin = `http://127.0.0.1:${port}`;
  try {
    await untilHealthy(origin, ended, options.startLimitMs ?? START_LIMIT_MS);
    return { origin, modelName: await servedModel(origin), log, stop };
  } catch (error) {
    await stop();
    const tail = (await readFile(log, 'utf8')).trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
    throw new Error(`vLLM did not start. Its last lines (all of them: ${log}):\n${tail}`, { cause: error });
  }
}

function serverArguments(directory: string, modelName: string, port: number, options: VllmOptions): string[] {
  const server = ['-m', 'vllm.entrypoints.openai.api_server', '--host', '127.0.0.1', '--port', String(port)];
  const model = [
    '--model',
    directory,
    '--served-model-name',
    modelName,
    '--dtype',
    'bfloat16',
    '--max-model-len',
    '4096',
  ];
  // Eager: compiling the model would take longer than the tests.
  return [
    ...server,
    ...model,
    '--enforce-eager',
    '--enable-prompt-embeds',
    '--enable-auto-tool-choice',
    '--tool-call-parser',
    'hermes',
    ...(options.extraArguments ?? []),
  ];
}

async function untilHealthy(origin: string, ended: Promise<unknown[]>, limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs;
  const early = ended.then(([code, signal]) => {
    throw new Error(`it ended by itself (${code ?? signal})`);
  });
  while (performance.now() < deadline) {
    const health = fetch(`${origin}/health`).then(
      (response) => response.ok,
      () => false,
    );
    if (await Promise.race([health, early])) return;
    await Promise.race([sleep(POLL_MS), early]);
  }
  throw new Error(`it was not ready within ${limitMs / 1000} s`);
}

async function servedModel(origin: string): Promise<string> {
  const response = await fetch(`${origin}/v1/models`);
  const [model] = Value.Parse(ModelList, await response.json()).data;
  if (!model) throw new Error(`${origin} serves no model`);
  return model.id;
}

/** vLLM takes no port 0. Another process may take the port in the seconds between; then vLLM says so and ends. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('the system gave no port');
  return address.port;
}
