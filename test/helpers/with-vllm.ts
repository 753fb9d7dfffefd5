import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { sharedServer, startVllm } from './vllm.ts';

// Runs a command beside one real vLLM, so that the test files in it share it rather than start one each:
//
//   npx node test/helpers/with-vllm.ts npx tap test/backends/vllm
//
// Without a command it serves until it is interrupted, and prints the line that gives other terminals the server.
const [command, ...args] = process.argv.slice(2);
// No test's time limit runs yet.
const server = await startVllm({ startLimitMs: 600_000 });
process.stderr.write(`${sharedServer}=${server.origin}\n`);
try {
  if (command === undefined) {
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  } else {
    const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, [sharedServer]: server.origin } });
    const [code] = await once(child, 'exit');
    process.exitCode = code ?? 1;
  }
} finally {
  await server.stop();
}
