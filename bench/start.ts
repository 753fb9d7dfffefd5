import { spawn } from 'node:child_process';
import type { WeightPrecision } from '../src/engine/decoder/weights.ts';
import { residentMegabytes } from './gateway/usage.ts';

/** Milliseconds from starting the process to `/readyz` answering 200, and its memory after one chat completion. */
export async function measureStart(weights: WeightPrecision): Promise<{ readyMs: number; residentMb: number }> {
  const port = 20000 + Math.floor(Math.random() * 20000);
  const start = performance.now();
  const server = spawn(process.execPath, ['src/cli.ts', 'serve', '--port', String(port)], {
    stdio: 'ignore',
    env: { ...process.env, PREAMBLE_MODELS_SMOLLM2_135M_INSTRUCT_BACKEND_WEIGHTS: weights },
  });
  try {
    const base = `http://127.0.0.1:${port}`;
    while (!(await isReady(`${base}/readyz`))) await new Promise((resolve) => setTimeout(resolve, 20));
    const readyMs = performance.now() - start;
    await fetch(`${base}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'smollm2-135m-instruct',
        messages: [{ role: 'user', content: 'Hello!' }],
        max_tokens: 64,
      }),
    }).then((response) => response.text());
    return { readyMs, residentMb: await residentMegabytes(server.pid ?? 0) };
  } finally {
    server.kill('SIGKILL');
  }
}

async function isReady(url: string): Promise<boolean> {
  return await fetch(url).then(
    (response) => response.ok,
    () => false,
  );
}
