import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { graftModel } from '../src/graft/graft.ts';
import { defaultModelName } from '../src/model/known-models.ts';
import { obtainModel } from '../src/model/obtain/obtain.ts';
import { openPromptRegistry } from '../src/prompts/registry.ts';
import { shippedPromptDirectory } from '../src/prompts/shipped.ts';
import { startVllm } from '../test/helpers/vllm.ts';
import { freePort, startPinned, waitUntilServing } from './gateway/processes.ts';
import { formatSpread, type Spread, spread } from './statistics.ts';
import { formatTable } from './table.ts';
import { askAll } from './vllm/ask.ts';

const PROMPT = 'smollm2-135m/dro';
const DEFAULT_ROUNDS = 7;
/** Of one round. As many are under way as a server of two cores does well together. */
const DEFAULT_REQUESTS = 32;
const CONCURRENCY = 8;
const ANSWER_TOKENS = 16;
const START_LIMIT_MS = 600_000;
const LEAST_RATIO = 1;

/** Names of the gateway's models, one server behind all of them. */
const WAYS = ['no prompt', 'prompt_embeds', 'virtual tokens'] as const;
type Way = (typeof WAYS)[number];
const modelOf = (way: Way) => way.replace(' ', '-');

/** `npm run bench -- vllm [--rounds N] [--requests N]`: a real vLLM on the processor, the same prompt by embeddings and by virtual tokens. */
export async function run({ json, flags }: { json: boolean; flags: readonly string[] }): Promise<void> {
  const given = (flag: string, usual: number) =>
    flags.includes(flag) ? Number(flags[flags.indexOf(flag) + 1]) : usual;
  const rounds = given('--rounds', DEFAULT_ROUNDS);
  const requests = given('--requests', DEFAULT_REQUESTS);
  const folder = await mkdtemp(join(tmpdir(), 'preamble-bench-vllm-'));
  try {
    const out = join(folder, 'grafted');
    const prompt = (await openPromptRegistry([shippedPromptDirectory])).resolve(PROMPT);
    const { directory: source } = await obtainModel(defaultModelName);
    await graftModel({ source, prompts: [prompt], out, copy: 'link', dryRun: false });
    process.stderr.write('starting vLLM\n');
    const vllm = await startVllm({ directory: out, startLimitMs: START_LIMIT_MS });
    try {
      const gateway = await startGateway(folder, configuration(vllm.origin, vllm.modelName, out));
      try {
        const load = [loadavg()[0] ?? 0];
        const rates = await measure(gateway.origin, rounds, requests);
        load.push(loadavg()[0] ?? 0);
        report(json, { tokens: (await prompt.load()).tokens, requests, rates, load });
      } finally {
        await gateway.stop();
      }
    } finally {
      await vllm.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function configuration(origin: string, served: string, graft: string): string {
  const server = `kind: vllm, urls: [${JSON.stringify(origin)}], model: ${JSON.stringify(served)}`;
  const model = (way: Way, prompt: string | null, backend: string) =>
    `  ${modelOf(way)}: { prompt: ${prompt}, onPromptUnavailable: refuse, backend: { ${backend} } }\n`;
  return `models:\n${model('no prompt', null, server)}${model('prompt_embeds', PROMPT, server)}${model(
    'virtual tokens',
    PROMPT,
    `${server}, wire: virtual-tokens, graft: ${JSON.stringify(graft)}`,
  )}`;
}

async function startGateway(folder: string, configuration: string) {
  const file = join(folder, 'preamble.yaml');
  await writeFile(file, configuration);
  const port = await freePort();
  const logFile = join(folder, 'gateway.log');
  const args = [join('src', 'cli.ts'), 'serve', '--config', file, '--port', String(port)];
  const running = startPinned({ core: 0, command: process.execPath, args, logFile });
  const origin = `http://127.0.0.1:${port}`;
  await waitUntilServing(running, () => fetch(`${origin}/readyz`), logFile);
  return { origin, stop: () => running.stop() };
}

/** Requests/s by way. Rounds go through the ways in turn, the first is not counted: what else the machine does meets all of them. */
async function measure(origin: string, rounds: number, requests: number): Promise<ReadonlyMap<Way, readonly number[]>> {
  const rates = new Map<Way, number[]>(WAYS.map((way) => [way, []]));
  for (let round = -1; round < rounds; round++) {
    for (const [index, way] of WAYS.entries()) {
      const start = performance.now();
      // No two requests are alike, so that the server computes each one's own words.
      const first = ((round + 1) * WAYS.length + index) * requests;
      await askAll({ origin, model: modelOf(way), first, requests, concurrency: CONCURRENCY, tokens: ANSWER_TOKENS });
      const rate = requests / ((performance.now() - start) / 1000);
      if (round < 0) continue;
      rates.get(way)?.push(rate);
      process.stderr.write(`round ${round + 1} of ${rounds}, ${way}: ${rate.toFixed(2)} requests/s\n`);
    }
  }
  return rates;
}

interface Figures {
  readonly tokens: number;
  readonly requests: number;
  readonly rates: ReadonlyMap<Way, readonly number[]>;
  readonly load: readonly number[];
}

function report(json: boolean, { tokens, requests, rates, load }: Figures): void {
  const embedded = rates.get('prompt_embeds') ?? [];
  const toEmbedded = new Map<Way, Spread>(
    [...rates].map(([way, values]) => [
      way,
      spread(values.map((rate, round) => rate / (embedded[round] ?? Number.NaN))),
    ]),
  );
  if (json) {
    const figures = {
      tokens,
      requests,
      load,
      rates: Object.fromEntries(rates),
      toEmbedded: Object.fromEntries(toEmbedded),
    };
    process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
    return;
  }
  const rows = [...rates].map(([way, values]) => {
    const ratio = toEmbedded.get(way) ?? spread([]);
    return [way, formatSpread(spread(values), 2), formatSpread(ratio, 2)];
  });
  const reached = (toEmbedded.get('virtual tokens')?.median ?? 0) >= LEAST_RATIO;
  process.stdout.write(formatTable([['prompt in front', 'requests/s', 'to prompt_embeds'], ...rows]));
  const [before = 0, after = 0] = load;
  process.stdout.write(
    `Virtual tokens at least as fast as prompt_embeds: ${reached ? 'reached' : 'NOT reached'}.
A prompt of ${tokens} tokens, answers of ${ANSWER_TOKENS}, ${CONCURRENCY} requests at a time, ${requests} a round; medians (middle half) of ${embedded.length} rounds; load average ${before.toFixed(1)} before, ${after.toFixed(1)} after.\n`,
  );
}
