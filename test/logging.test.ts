import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { inOwnNamespace } from './helpers/own-namespace.ts';

const logging = fileURLToPath(new URL('../src/logging.ts', import.meta.url));

const env = { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' };

function scriptOf(code: string, level: string, tty: boolean): string {
  return `
    import { createLogger } from ${JSON.stringify(logging)};
    ${tty ? 'process.stderr.isTTY = true;' : ''}
    const logger = createLogger({ level: ${JSON.stringify(level)}, content: false });
    ${code}`;
}

/** Runs code with `logger` at hand and gives what came on standard output and error. */
function run(code: string, level = 'info', tty = false) {
  const script = scriptOf(code, level, tty);
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

t.test('lines are gathered, and all are there when the process ends, even by a fault', async (t) => {
  const { stderr } = run("for (let i = 0; i < 500; i++) logger.info({ i }, 'x'); throw new Error('fault');");
  const lines = stderr.split('\n').filter((line) => line.startsWith('{'));
  t.strictSame(
    lines.map((line) => JSON.parse(line).i),
    Array.from({ length: 500 }, (_, i) => i),
  );
});

t.test('a line does not wait for the process to end', async (t) => {
  const script = scriptOf("logger.info('x'); process.stdin.resume();", 'info', false);
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env });
  t.teardown(() => child.kill());
  const [chunk] = await once(child.stderr, 'data');
  t.match(String(chunk), /"msg":"x"/);
});

t.test('lines for people on a terminal', async (t) => {
  const { stderr } = run("logger.info({ event: 'x' }, 'said');", 'info', true);
  t.match(stderr, /^\[.*\] INFO: said \{"event":"x"\}\n$/);
});

/** Logs to a disk of 8 MiB that a filler has filled, removes that, and logs on; says what the log has in the end. */
async function logOnFullDisk(code: string, folder: string) {
  const script = scriptOf(
    `import { rmSync } from 'node:fs';
    const wait = () => new Promise((resolve) => setTimeout(resolve, 500));
    ${code}
    await wait();
    process.stdout.write('alive\\n');
    rmSync(${JSON.stringify(`${folder}/filler`)});
    await wait();
    logger.info('room again');
    await wait();`,
    'info',
    false,
  );
  const [quoted, log] = [script.replaceAll("'", `'\\''`), `'${folder}/log'`];
  return await inOwnNamespace(
    `mount -t tmpfs -o size=8m tmpfs '${folder}' && head -c 9000000 /dev/zero > '${folder}/filler' 2>/dev/null;
     '${process.execPath}' --input-type=module -e '${quoted}' 2>${log}; echo "code $?"; cat ${log}`,
  );
}

t.test('a disk that is full ends nothing: lines are held until there is room', async (t) => {
  const ran = await logOnFullDisk("for (let i = 0; i < 500; i++) logger.info({ i }, 'x');", t.testdir());
  if (ran === null) return void t.pass('no file system of its own here');
  const [alive, code, ...lines] = ran.stdout.trim().split('\n');
  t.strictSame([alive, code], ['alive', 'code 0']);
  t.equal(lines.length, 501);
  t.match(JSON.parse(lines.at(-1) ?? ''), { msg: 'room again' });
});

t.test('of more than a megabyte of them the later ones are lost, and counted', async (t) => {
  const code = "for (let i = 0; i < 3000; i++) logger.info({ i, pad: 'x'.repeat(1000) }, 'x');";
  const ran = await logOnFullDisk(code, t.testdir());
  if (ran === null) return void t.pass('no file system of its own here');
  const lines = ran.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
  const lost = lines.find(({ event }) => event === 'log.lost');
  t.equal(lines.filter(({ pad }) => pad !== undefined).length + lost?.lines, 3000);
  t.match(lines.at(-1), { msg: 'room again' });
});
