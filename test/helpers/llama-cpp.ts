import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { pipFolder } from './pip-folder.ts';

const requirements = fileURLToPath(new URL('./llama-cpp.txt', import.meta.url));
const script = fileURLToPath(new URL('./llama_cpp.py', import.meta.url));

/**
 * llama.cpp's own server on a GGUF file, ready to answer: its origin. It comes built, within the wheel of a Python package; `parallel` requests of 1024
 * tokens each run at once. It ends with the test, and with this process however that ends: its standard input closes.
 */
export async function startLlamaCpp(t: Test, gguf: string, parallel = 1): Promise<string> {
  const packages = await pipFolder('llama-cpp', requirements);
  const server = spawn('python3', [script, gguf, String(parallel)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' },
  });
  t.teardown(() => server.kill('SIGKILL'));
  const said: string[] = [];
  server.stderr.on('data', (bytes) => said.push(String(bytes)));
  for await (const line of createInterface(server.stdout)) {
    const [, address] = /^listening (.+)$/.exec(line) ?? [];
    if (address !== undefined) return address.startsWith('http') ? address : `http://${address}`;
    said.push(`${line}\n`);
  }
  throw new Error(`llama.cpp did not start:\n${said.join('').slice(-2000)}`);
}
