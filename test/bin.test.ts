import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { version } from '../src/version.ts';

const program = fileURLToPath(new URL('../src/bin.ts', import.meta.url));
/** Makes this Node look like one that is too old for the rest. */
const old = `data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.19.0' } })`;

function run(
  nodeOptions: readonly string[],
  ...args: string[]
): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...nodeOptions, program, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stdout, stderr });
    });
  });
}

t.test('the program of the package runs', async (t) => {
  t.strictSame(await run([], '--version'), { code: 0, stdout: `${version}\n`, stderr: '' });
  t.match(await run([], 'serve', '--port', 'x'), { code: 2, stderr: /port/ });
});

t.test('started by a Node that is too old, it hands over to its own, with arguments and exit code', async (t) => {
  t.strictSame(await run(['--import', old], '--version'), { code: 0, stdout: `${version}\n`, stderr: '' });
  t.match(await run(['--import', old], 'serve', '--port', 'x'), { code: 2, stderr: /port/ });
});
