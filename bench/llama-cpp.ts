import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openCache } from '../src/model/obtain/cache.ts';

/** llama.cpp through its Python package, beside us in the same run: a process that answers one line of measurements for each line asked. */
export interface LlamaCpp {
  /** Milliseconds to read a prompt of `promptTokens`, and tokens/s of greedy decoding after it. */
  measure(promptTokens: number, newTokens: number): Promise<{ prefillMs: number; tokensPerSecond: number }>;
  close(): void;
}

const PROGRAM = `
import json, sys, time
from llama_cpp import Llama
model = Llama(sys.argv[1], n_threads=int(sys.argv[2]), n_threads_batch=int(sys.argv[2]), n_ctx=2048, verbose=False)
for line in sys.stdin:
    ask = json.loads(line)
    prompt = [(i * 7919) % 49152 for i in range(ask["promptTokens"])]
    model.reset()
    start = time.perf_counter(); model.eval(prompt); read = time.perf_counter()
    for _ in range(ask["newTokens"]):
        model.eval([model.sample(temp=0)])
    end = time.perf_counter()
    print(json.dumps({"prefillMs": 1000 * (read - start), "tokensPerSecond": ask["newTokens"] / (end - read)}), flush=True)
`;

/** Installs `llama-cpp-python` into the cache on first use. */
function pythonWithLlamaCpp(): string {
  const environment = join(openCache().root, 'bench', 'llama-cpp');
  const python = join(environment, 'bin', 'python');
  if (!existsSync(python)) execFileSync('python3', ['-m', 'venv', environment], { stdio: 'inherit' });
  try {
    execFileSync(python, ['-c', 'import llama_cpp'], { stdio: 'ignore' });
  } catch {
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', 'llama-cpp-python'], { stdio: 'inherit' });
  }
  return python;
}

export function startLlamaCpp(gguf: string, threads: number): LlamaCpp {
  const peer = spawn(pythonWithLlamaCpp(), ['-c', PROGRAM, gguf, String(threads)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(peer.stdout)[Symbol.asyncIterator]();
  return {
    async measure(promptTokens, newTokens) {
      peer.stdin.write(`${JSON.stringify({ promptTokens, newTokens })}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error('llama.cpp ended before it answered');
      return JSON.parse(value);
    },
    close: () => peer.kill(),
  };
}
