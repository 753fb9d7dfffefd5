import { hash } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { Command } from 'commander';
import t from 'tap';
import { registerKeyCommands } from '../../src/commands/key.ts';

async function key(args: readonly string[], typed = ''): Promise<{ stdout: string; stderr: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const program = new Command('preamble').exitOverride();
  registerKeyCommands(program, { stdout, stderr }, Readable.from([Buffer.from(typed)]));
  await program.parseAsync(['key', ...args], { from: 'user' });
  return { stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? '') };
}

t.test('new: a key, once, and the line that the file has', async (t) => {
  const made = JSON.parse((await key(['new', '--json'])).stdout);
  t.match(made, { key: /^pmb_[A-Za-z0-9_-]{43}$/, sha256: /^sha256:[0-9a-f]{64}$/ });
  t.equal(made.sha256, `sha256:${hash('sha256', made.key)}`);
  const other = JSON.parse((await key(['new', '--json'])).stdout);
  t.not(other.key, made.key);

  const { stdout } = await key(['new']);
  const shown = /pmb_\S+/.exec(stdout)?.[0] ?? '';
  t.match(stdout, `keys: ["sha256:${hash('sha256', shown)}"]`);
  t.equal(stdout.split(shown).length, 2, 'the key stands there once');
});

t.test('hash: the line of a key that is given', async (t) => {
  const sha256 = `sha256:${hash('sha256', 'pmb_mine')}`;
  for (const typed of ['pmb_mine', 'pmb_mine\n', 'pmb_mine\r\n'])
    t.equal((await key(['hash'], typed)).stdout, `${sha256}\n`);
  t.same(JSON.parse((await key(['hash', '--json'], 'pmb_mine\n')).stdout), { sha256 });
});

t.test('hash: what is no key is refused, and not shown', async (t) => {
  for (const typed of ['', '\n', 'two words', 'two\nlines\n']) {
    await t.rejects(key(['hash'], typed), { code: 'invalid_request', message: 'Standard input holds no key.' });
  }
});
