import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GRAFT_FILE } from '../../../src/graft/graft-file.ts';
import { writeGraftRecord } from '../../../test/helpers/graft-record.ts';
import type { BenchContext } from '../context.ts';
import { freePort, repositoryRoot } from '../processes.ts';
import { EMBEDDINGS_PROMPT, TEXT_PROMPT, writeBenchPrompts } from '../prompts.ts';
import { startGateway } from '../start-gateway.ts';
import type { Target } from '../targets.ts';
import { MODEL, PROMPT_TOKENS } from '../wire.ts';

/** The same servers under a name for each way of putting a prompt in front. */
export const MODELS = {
  none: MODEL,
  text: `${MODEL}-text`,
  embeddings: `${MODEL}-embeddings`,
  virtual: `${MODEL}-virtual`,
} as const;

const API_KEY = 'sk-bench';
/** Counted on every request, and never reached. */
const FAR = 1e9;

/** Authentication, limits, health checks and decisions on; the log goes to a file. */
function configuration(mockPort: number, folder: string): string {
  const server = `kind: vllm, urls: ["http://127.0.0.1:${mockPort}"], model: ${MODEL}, connections: 4096`;
  const backend = `{ ${server} }`;
  const grafted = `{ ${server}, wire: virtual-tokens, graft: ${JSON.stringify(join(folder, GRAFT_FILE))} }`;
  const digest = createHash('sha256').update(API_KEY).digest('hex');
  return `models:
  ${MODELS.none}: { prompt: null, onPromptUnavailable: refuse, backend: ${backend} }
  ${MODELS.text}: { prompt: ${TEXT_PROMPT}, onPromptUnavailable: text, backend: ${backend} }
  ${MODELS.embeddings}: { prompt: ${EMBEDDINGS_PROMPT}, onPromptUnavailable: refuse, backend: ${backend} }
  ${MODELS.virtual}: { prompt: ${EMBEDDINGS_PROMPT}, onPromptUnavailable: refuse, backend: ${grafted} }
promptDirectories: [${JSON.stringify(join(folder, 'prompts'))}]
tenants:
  - id: bench
    keys: ["sha256:${digest}"]
    limits: { requestsPerMinute: ${FAR}, tokensPerMinute: ${FAR}, streams: ${FAR} }
`;
}

export async function startPreamble({ mockPort, folder, profile }: BenchContext): Promise<Target> {
  const digest = await writeBenchPrompts(join(folder, 'prompts'));
  await writeGraftRecord(folder, [{ name: EMBEDDINGS_PROMPT, version: '1.0.0', digest, tokens: PROMPT_TOKENS }]);
  const port = await freePort();
  const file = join(folder, 'preamble.yaml');
  await writeFile(file, configuration(mockPort, folder));
  const profiling = profile === null ? [] : ['--cpu-prof', '--cpu-prof-dir', profile, '--cpu-prof-interval', '500'];
  return await startGateway({
    name: 'preamble',
    port,
    folder,
    readyPath: '/readyz',
    headers: { authorization: `Bearer ${API_KEY}` },
    cwd: repositoryRoot,
    command: process.execPath,
    args: [...profiling, join('src', 'cli.ts'), 'serve', '--config', file, '--port', String(port)],
  });
}
