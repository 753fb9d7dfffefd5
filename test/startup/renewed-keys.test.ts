import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { postJson } from '../helpers/build.ts';
import { startFakeGuard } from '../helpers/fake-guard.ts';
import { startFakeVllm } from '../helpers/fake-vllm.ts';
import { live } from '../helpers/live.ts';

const chat = { model: 'served', messages: [{ role: 'user', content: 'Hi' }] };

t.test('keys in files are read anew with the settings, also where these are the same', async (t) => {
  const fake = await startFakeVllm(t, { apiKey: 'one' });
  const guard = await startFakeGuard(t);
  const yaml = `
models:
  served:
    prompt: null
    onPromptUnavailable: none
    backend: { kind: vllm, urls: ["${fake.origin}"], apiKey: { file: ./key } }
guard: { kind: http, url: "${guard.url}", onUnavailable: pass, apiKey: { file: ./guard-key } }
`;
  const files = { key: Buffer.from('one\n'), 'guard-key': Buffer.from('first\n') };
  const { gateway, origin, directory, config } = await live(t, yaml, files);
  const before = gateway.current().backends.get('served');
  const ask = async () => (await postJson(`${origin}/v1/chat/completions`, chat)).status;
  const guardKey = async (count: number) => {
    while (guard.received.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
    return guard.received.at(-1)?.headers.authorization;
  };
  t.equal(await ask(), 200);
  t.equal(await guardKey(1), 'Bearer first');

  fake.options = { apiKey: 'two' };
  t.equal(await ask(), 401);
  await writeFile(join(directory, 'key'), 'two\n');
  await writeFile(join(directory, 'guard-key'), 'second\n');
  await gateway.reload(await config(yaml));
  t.equal(await ask(), 200);
  t.equal(await guardKey(2), 'Bearer second');
  t.equal(gateway.current().backends.get('served'), before, 'with the connections that there are');

  for (const name of ['key', 'guard-key']) {
    const { generation } = gateway.current();
    await writeFile(join(directory, name), '');
    await t.rejects(gateway.reload(await config(yaml)), { code: 'config_invalid' });
    t.equal(gateway.current().generation, generation);
    t.equal(await ask(), 200, 'what was read before stays');
    await writeFile(join(directory, name), name === 'key' ? 'two' : 'second');
  }
});
