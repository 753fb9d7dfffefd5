import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openCache } from '../../../src/model/obtain/cache.ts';
import type { BenchContext } from '../context.ts';
import { freePort } from '../processes.ts';
import { startGateway } from '../start-gateway.ts';
import { type Target, Unavailable } from '../targets.ts';
import { MODEL } from '../wire.ts';

/** It does not start without one. Guards nothing but this run. */
const MASTER_KEY = 'sk-preamble-bench-0123456789abcdef0123456789abcdef';

/** Installs LiteLLM's proxy into the cache on first use. */
function liteLlmProgram(): string {
  const environment = join(openCache().root, 'bench', 'litellm');
  const program = join(environment, 'bin', 'litellm');
  if (existsSync(program)) return program;
  try {
    execFileSync('python3', ['-m', 'venv', environment], { stdio: 'inherit' });
    const pip = ['-m', 'pip', 'install', '--quiet', 'litellm[proxy]'];
    execFileSync(join(environment, 'bin', 'python'), pip, { stdio: 'inherit' });
  } catch (cause) {
    throw new Unavailable('LiteLLM could not be installed with pip.', { cause });
  }
  return program;
}

export async function startLiteLlm({ mockPort, folder }: BenchContext): Promise<Target> {
  const command = liteLlmProgram();
  const port = await freePort();
  const file = join(folder, 'litellm.yaml');
  await writeFile(
    file,
    `model_list:
  - model_name: ${MODEL}
    litellm_params: { model: hosted_vllm/${MODEL}, api_base: "http://127.0.0.1:${mockPort}/v1", api_key: none }
`,
  );
  return await startGateway({
    name: 'litellm',
    port,
    folder,
    command,
    args: ['--config', file, '--host', '127.0.0.1', '--port', String(port), '--num_workers', '1'],
    headers: { authorization: `Bearer ${MASTER_KEY}` },
    environment: { LITELLM_LOCAL_MODEL_COST_MAP: 'True', LITELLM_MASTER_KEY: MASTER_KEY },
  });
}
