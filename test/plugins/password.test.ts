import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type BuiltProxy, buildProxy, nextText, question, writeProxySettings } from '../helpers/build-proxy.ts';
import { startFakeVllm } from '../helpers/fake-vllm.ts';
import { runCli, serving, startCli } from '../helpers/serve-process.ts';

/** With a colon, which only a user name may not have, and beyond ASCII. */
const secret = 'hunter2:must-not-be-seen-ü';
const basic = (password: string, user = 'prometheus') =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

const closed = [
  '/status',
  '/metrics',
  '/rollouts',
  '/dashboard',
  '/dashboard/events',
  '/dashboard/prompts',
  '/dashboard/prompts/test/kind/1.0.0',
  '/dashboard/assets/page.js',
  '/nowhere',
];

async function guarded(t: Test, more: object = {}, waits = true): Promise<BuiltProxy> {
  return await buildProxy(t, [await startFakeVllm(t)], {
    files: { password: `${secret}\n` },
    more: { admin: { port: 0, password: { file: './password' } }, ...more },
    waits,
  });
}

const ask = async (url: string, authorization?: string, method = 'GET'): Promise<Response> =>
  await fetch(url, { method, headers: authorization === undefined ? {} : { authorization } });

const statusOf = async (url: string, authorization?: string): Promise<number> => {
  const answer = await ask(url, authorization);
  await answer.body?.cancel();
  return answer.status;
};

t.test('without a password whoever reaches the listener may see everything', async (t) => {
  const proxy = await buildProxy(t, [await startFakeVllm(t)]);
  for (const path of closed) t.equal(await statusOf(proxy.admin + path), path === '/nowhere' ? 404 : 200, path);
});

t.test('with one nobody else sees anything but that the gateway lives, and whether it is ready', async (t) => {
  const proxy = await guarded(t);
  for (const path of closed) {
    const answer = await ask(proxy.admin + path);
    t.equal(answer.status, 401, path);
    t.equal(answer.headers.get('www-authenticate'), 'Basic realm="Preamble", charset="UTF-8"', path);
    t.match(answer.headers.get('content-security-policy'), /default-src 'none'/);
    t.match(await answer.json(), {
      error: { type: 'invalid_request_error', param: null, code: 'invalid_password', message: /HTTP Basic/ },
    });
    t.equal(await statusOf(proxy.admin + path, basic(secret)), path === '/nowhere' ? 404 : 200, path);
  }
  for (const path of ['/healthz', '/readyz']) {
    t.equal(await statusOf(proxy.admin + path), 200, path);
    t.equal((await ask(proxy.admin + path, undefined, 'HEAD')).status, 200, path);
  }
  for (const method of ['POST', 'OPTIONS']) {
    t.equal((await ask(`${proxy.admin}/status`, undefined, method)).status, 401, method);
  }
});

t.test('any user name, and the scheme in any case', async (t) => {
  const url = `${(await guarded(t)).admin}/status`;
  for (const user of ['', 'operator', 'ünal', 'x'.repeat(2000)]) t.equal(await statusOf(url, basic(secret, user)), 200);
  for (const scheme of ['basic', 'BASIC', 'Basic  ']) {
    t.equal(await statusOf(url, basic(secret).replace('Basic', scheme)), 200, scheme);
  }
});

t.test('what is no such password is refused, in whatever form it comes', async (t) => {
  const url = `${(await guarded(t)).admin}/status`;
  const right = basic(secret);
  const wrong = [
    basic('wrong'),
    basic(''),
    basic(secret.slice(0, -1)),
    basic(`${secret} `),
    basic(secret.toUpperCase()),
    basic('x'.repeat(5000)),
    `Basic ${Buffer.from(secret.replace(':', '')).toString('base64')}`,
    `Basic ${Buffer.from(`operator:${secret}`, 'latin1').toString('base64')}`,
    `Bearer ${Buffer.from(`operator:${secret}`).toString('base64')}`,
    right.replace('Basic', 'Digest'),
    right.replace('Basic ', 'Basic'),
    right.replace('Basic ', ''),
    'Basic',
    'Basic ',
    'Basic ====',
    'Basic Og',
    `${right}!`,
    `${right}=`,
    right.replace('Basic ', 'Basic !'),
    `${right.slice(0, 12)} ${right.slice(12)}`,
    `${right}, ${right}`,
    `Basic ${encodeURIComponent(`operator:${secret}`)}`,
  ];
  for (const authorization of wrong) t.equal(await statusOf(url, authorization), 401, authorization.slice(0, 60));
});

t.test('a page that is kept up to date asks for it too', async (t) => {
  const { admin } = await guarded(t);
  const follow = async (headers: Record<string, string>): Promise<IncomingMessage> => {
    const request = get(`${admin}/dashboard/events`, { agent: false, headers });
    request.on('error', () => {});
    t.teardown(() => request.destroy());
    const [response] = await once(request, 'response');
    return response;
  };
  const refused = await follow({ accept: 'text/event-stream' });
  t.match(refused, { statusCode: 401, headers: { 'content-type': /^application\/json/ } });
  const stream = await follow({ accept: 'text/event-stream', authorization: basic(secret) });
  t.match(stream, { statusCode: 200, headers: { 'content-type': /^text\/event-stream/ } });
  t.match(await nextText(stream), /^retry: /);
});

t.test('why a gateway is not ready is for operators alone', async (t) => {
  const away = { prompt: null, onPromptUnavailable: 'none', backend: { kind: 'vllm', urls: ['http://127.0.0.1:9'] } };
  const [open, proxy] = [
    await buildProxy(t, [], {
      models: { away },
      prompt: null,
      backend: { urls: ['http://127.0.0.1:9'] },
      waits: false,
    }),
    await guarded(t, { models: { away } }, false),
  ];
  for (const origin of [open.origin, open.admin]) {
    t.match(await (await ask(`${origin}/readyz`)).json(), { status: 'not ready', reason: /away/ });
  }
  for (const origin of [proxy.admin, proxy.origin]) {
    for (const authorization of [undefined, basic('wrong')]) {
      const answer = await ask(`${origin}/readyz`, authorization);
      t.equal(answer.status, 503);
      t.strictSame(await answer.json(), { status: 'not ready' });
    }
  }
  t.match(await (await ask(`${proxy.admin}/readyz`, basic(secret))).json(), { status: 'not ready', reason: /away/ });
  t.strictSame(
    await (await ask(`${proxy.origin}/readyz`, basic(secret))).json(),
    { status: 'not ready' },
    'it is not to be guessed where applications ask',
  );
});

t.test('a file that has another is read again with the settings', async (t) => {
  const proxy = await guarded(t);
  const url = `${proxy.admin}/status`;
  const file = join(proxy.folder, 'password');
  await writeFile(file, 'another');
  t.equal(await statusOf(url, basic(secret)), 200, 'not before');
  await proxy.reload();
  t.equal(await statusOf(url, basic(secret)), 401);
  t.equal(await statusOf(url, basic('another')), 200);
  for (const broken of ['', 'two\nlines', 'x'.repeat(1025)]) {
    await writeFile(file, broken);
    await t.rejects(proxy.reload(), { code: 'config_invalid' });
    t.equal(await statusOf(url, basic('another')), 200, 'what was read before stays');
    t.equal(await statusOf(url, basic(broken)), 401);
  }
});

t.test('it opens nothing for applications, and is in no log', async (t) => {
  const proxy = await guarded(t, { log: { level: 'trace', content: true } });
  await statusOf(`${proxy.admin}/status`, basic(secret));
  await statusOf(`${proxy.admin}/status`, basic(`${secret}wrong`));
  await statusOf(`${proxy.admin}/nowhere`, basic(secret));
  await proxy.post(question, { headers: { authorization: basic(secret) } });
  t.ok(proxy.logs.some(({ code }) => code === 'invalid_password'));
  const logged = JSON.stringify(proxy.logs);
  for (const hidden of [secret, basic(secret).slice(6), basic(`${secret}wrong`).slice(6)]) t.notMatch(logged, hidden);
});

t.test('an address for everyone without one is told of at the start, once, with what to do', async (t) => {
  const fake = await startFakeVllm(t);
  const start = async (admin: object): Promise<Record<string, unknown>[]> => {
    const cwd = await writeProxySettings(t, [fake], { more: { admin: { port: 0, ...admin } } });
    const cli = startCli(t, cwd, ['serve'], { ADMIN_PASSWORD: secret });
    await serving(cli);
    cli.child.kill('SIGTERM');
    await cli.ended;
    t.notMatch(cli.stdout() + cli.stderr(), secret);
    return cli.logs().filter(({ event }) => event === 'admin.open');
  };
  const told = await start({ host: '0.0.0.0' });
  t.match(told, [{ level: 40, host: '0.0.0.0', action: /admin\.password/ }]);
  t.equal(told.length, 1);
  t.same(await start({ host: '0.0.0.0', password: { env: 'ADMIN_PASSWORD' } }), []);
  t.same(await start({ host: '127.0.0.1' }), []);
});

t.test('a password that is not where it should be keeps the gateway from starting', async (t) => {
  const more = { admin: { port: 0, password: { env: 'NO_ADMIN_PASSWORD' } } };
  const cwd = await writeProxySettings(t, [{ origin: 'http://127.0.0.1:1' }], { more });
  t.match(await runCli(t, cwd, ['serve', '--check']), { code: 1, stderr: /NO_ADMIN_PASSWORD is not set/ });
});
