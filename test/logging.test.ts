import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const logging = fileURLToPath(new URL('../src/logging.ts', import.meta.url));

/** Runs code with `logger` at hand and gives what came on standard output and error. */
function run(code: string, level = 'info', tty = false) {
  const script = `
    import { createLogger } from ${JSON.stringify(logging)};
    ${tty ? 'process.stderr.isTTY = true;' : ''}
    const logger = createLogger({ level: ${JSON.stringify(level)}, content: false });
    ${code}`;
  const env = { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' };
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { env, encoding: 'utf8' });
}

t.test('JSON lines on standard error, without what is the same in each', async (t) => {
  const { stdout, stderr } = run("logger.info({ event: 'x' }, 'said'); logger.debug('quiet');");
  t.equal(stdout, '');
  t.equal(stderr.trim().split('\n').length, 1);
  const line = JSON.parse(stderr);
  t.strictSame(Object.keys(line), ['level', 'time', 'event', 'msg']);
  t.match(line, { level: 30, event: 'x', msg: 'said' });
  t.equal(run("logger.error('x')", 'silent').stderr, '');
});

t.test('an error with its causes, also when the process ends at once', async (t) => {
  const { stderr } = run("logger.error({ err: new Error('a', { cause: new Error('b') }) }, 'x'); process.exit(3);");
  t.match(JSON.parse(stderr), { err: { message: 'a', cause: { message: 'b', stack: /Error: b/ } } });
});

t.test('lines for people on a terminal', async (t) => {
  const { stderr } = run("logger.info({ event: 'x' }, 'said');", 'info', true);
  t.match(stderr, /^\[.*\] INFO: said \{"event":"x"\}\n$/);
});
