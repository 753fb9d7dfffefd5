import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pipFolder } from './pip-folder.ts';

const run = promisify(execFile);
const requirements = fileURLToPath(new URL('../clients/openai-python.txt', import.meta.url));
const script = fileURLToPath(new URL('../clients/openai_python.py', import.meta.url));

/** Runs the script with OpenAI's client for Python and returns what it printed. */
export async function runPythonClient(...given: string[]): Promise<string> {
  const packages = await pipFolder('openai-python', requirements);
  const { stdout } = await run('python3', [script, ...given], {
    env: { ...process.env, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' },
  });
  return stdout;
}
