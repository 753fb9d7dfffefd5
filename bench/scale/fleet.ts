import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import {
  freePort,
  GATEWAY_CORE,
  LOAD_CORE,
  repositoryRoot,
  startPinned,
  waitUntilServing,
} from '../gateway/processes.ts';
import { EMBEDDINGS_PROMPT, writeBenchPrompts } from '../gateway/prompts.ts';
import { stopOrTell } from '../gateway/start-gateway.ts';
import { MODEL } from '../gateway/wire.ts';

const GATEWAYS = 4;
/** Enough for all gateways, whose bodies it hardly looks at. */
const MOCKS = 2;
const CHUNK_INTERVAL_MS = 20;
/** Four at once, on two cores that others use. */
const START_MS = 600_000;
/** The same servers with 1.1 MB in front, and with what is promoted, which is as large. */
export const EMBEDDINGS_MODEL = `${MODEL}-embeddings`;
export const ROLLED_MODEL = `${MODEL}-rolled`;
export const ROLLED_PROMPT = 'bench/rolled';
/** Counted on every request, and never reached. */
const FAR = 1e9;
/** Reached on purpose. */
export const NEAR = { requestsPerMinute: 240, streams: 24 } as const;

/** By key: what is counted of whom. */
export const TENANTS = {
  none: {},
  requests: { requestsPerMinute: FAR },
  tokens: { requestsPerMinute: FAR, tokensPerMinute: FAR },
  all: { requestsPerMinute: FAR, tokensPerMinute: FAR, streams: FAR },
  'near-requests': { requestsPerMinute: NEAR.requestsPerMinute },
  'near-streams': { streams: NEAR.streams },
} as const;
export type TenantName = keyof typeof TENANTS;
const keyOf = (tenant: TenantName) => `pmb_${tenant}`;
export const headersOf = (tenant: TenantName) => ({ authorization: `Bearer ${keyOf(tenant)}` });

export interface BenchGateway {
  readonly port: number;
  readonly pid: number;
  readonly logFile: string;
}

type Closing = (() => Promise<void>)[];

export async function startMocks(folder: string, closing: Closing): Promise<number[]> {
  const script = fileURLToPath(new URL('../gateway/processes/mock.ts', import.meta.url));
  const started = Array.from({ length: MOCKS }, async (_, index) => {
    const port = await freePort();
    const logFile = join(folder, `mock-${index}.log`);
    const args = [script, String(port), String(CHUNK_INTERVAL_MS)];
    const mock = startPinned({ core: LOAD_CORE, command: process.execPath, args, logFile });
    closing.push(() => stopOrTell(`mock ${index}`, mock, logFile));
    await waitUntilServing(mock, () => fetch(`http://127.0.0.1:${port}/health`), logFile);
    return port;
  });
  return await Promise.all(started);
}

/** All four, of which those that are not measured do nothing but ask Redis whether something is new. */
export async function startGateways(
  folder: string,
  { mocks, redisUrl }: { mocks: readonly number[]; redisUrl: string },
  closing: Closing,
): Promise<BenchGateway[]> {
  await writeBenchPrompts(join(folder, 'prompts'));
  const file = join(folder, 'preamble.yaml');
  await writeFile(file, stringify(settings(folder, mocks, redisUrl)));
  const started = Array.from({ length: GATEWAYS }, async (_, index) => {
    const port = await freePort();
    const logFile = join(folder, `gateway-${index}.log`);
    const running = startPinned({
      // Two on each.
      core: index % 2 === 0 ? GATEWAY_CORE : LOAD_CORE,
      command: process.execPath,
      args: [join('src', 'cli.ts'), 'serve', '--config', file, '--port', String(port)],
      environment: { PREAMBLE_CACHE: join(folder, `cache-${index}`) },
      cwd: repositoryRoot,
      logFile,
    });
    closing.push(() => stopOrTell(`gateway ${index}`, running, logFile));
    await waitUntilServing(running, () => fetch(`http://127.0.0.1:${port}/readyz`), logFile, START_MS);
    return { port, pid: running.pid, logFile };
  });
  return await Promise.all(started);
}

function settings(folder: string, mocks: readonly number[], redisUrl: string): object {
  const backend = { kind: 'vllm', urls: mocks.map((port) => `http://127.0.0.1:${port}`), model: MODEL };
  const model = (prompt: string | null) => ({ prompt, onPromptUnavailable: 'refuse', backend });
  return {
    promptDirectories: [join(folder, 'prompts')],
    models: {
      [MODEL]: model(null),
      [EMBEDDINGS_MODEL]: model(EMBEDDINGS_PROMPT),
      [ROLLED_MODEL]: model(ROLLED_PROMPT),
    },
    tenants: Object.entries(TENANTS).map(([id, limits]) => ({
      id,
      keys: [`sha256:${createHash('sha256').update(`pmb_${id}`).digest('hex')}`],
      limits,
    })),
    redis: { url: redisUrl, onUnavailable: 'refuse' },
  };
}
