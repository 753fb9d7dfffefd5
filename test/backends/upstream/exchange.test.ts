import { createServer, type RequestListener } from 'node:http';
import t, { type Test } from 'tap';
import { Pool } from 'undici';
import { exchange } from '../../../src/backends/upstream/exchange.ts';

/** A server, a pool before it, and what became of requests. */
async function build(t: Test, listener: RequestListener, connections = 10) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  const pool = new Pool(`http://127.0.0.1:${address.port}`, { connections });
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await pool.destroy();
  });
  const outcomes: string[] = [];
  const ask = (signal = new AbortController().signal) =>
    exchange(pool, { method: 'POST', path: '/', body: Buffer.from('{}') }, signal, {
      onSuccess: (status) => outcomes.push(`success ${status}`),
      onFailure(thrown) {
        outcomes.push('failure');
        return new Error(`mapped: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      },
    });
  return { ask, outcomes };
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

t.test('an answer comes with its status, its headers and all its bytes', async (t) => {
  const { ask, outcomes } = await build(t, (_request, response) => {
    response.writeHead(201, { 'x-test': 'yes' });
    response.write('one ');
    setTimeout(() => response.end('two'), 20);
  });
  const { status, headers, body } = await ask();
  t.equal(status, 201);
  t.equal(headers['x-test'], 'yes');
  t.equal(await readText(body), 'one two');
  t.same(outcomes, ['success 201']);
});

t.test('1xx is no answer', async (t) => {
  const { ask } = await build(t, (_request, response) => {
    response.writeEarlyHints({ link: '</a>; rel=preload' });
    response.end('after');
  });
  const { status, body } = await ask();
  t.equal(status, 200);
  t.equal(await readText(body), 'after');
});

t.test('one that breaks off fails once, after the bytes that came', async (t) => {
  const { ask, outcomes } = await build(t, (_request, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('begun');
    setTimeout(() => response.destroy(), 20);
  });
  const { body } = await ask();
  const reader = body[Symbol.asyncIterator]();
  t.equal(Buffer.from((await reader.next()).value ?? []).toString(), 'begun');
  await t.rejects(reader.next(), { message: /^mapped: / });
  t.same(outcomes, ['failure']);
});

t.test('a server that is not there fails the request', async (t) => {
  const outcomes: string[] = [];
  const pool = new Pool('http://127.0.0.1:1');
  t.teardown(() => pool.destroy());
  const asked = exchange(pool, { method: 'GET', path: '/' }, new AbortController().signal, {
    onSuccess: () => outcomes.push('success'),
    onFailure(thrown) {
      outcomes.push('failure');
      return new Error('mapped', { cause: thrown });
    },
  });
  await t.rejects(asked, { message: 'mapped', cause: { code: 'ECONNREFUSED' } });
  t.same(outcomes, ['failure']);
});

t.test('the signal ends the request before its answer, in it, and unread', async (t) => {
  for (const moment of ['before', 'within', 'unread'] as const) {
    let closed: () => void = () => {};
    const closing = new Promise<void>((resolve) => {
      closed = resolve;
    });
    let arrived: () => void = () => {};
    const arriving = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const { ask, outcomes } = await build(t, (_request, response) => {
      response.on('close', closed);
      arrived();
      if (moment !== 'before') response.write('begun');
    });
    const controller = new AbortController();
    const asked = ask(controller.signal);
    if (moment === 'before') {
      await arriving;
      controller.abort(new Error('gone'));
      await t.rejects(asked, { message: 'mapped: gone' }, moment);
    } else {
      const reader = (await asked).body[Symbol.asyncIterator]();
      if (moment === 'within') await reader.next();
      const next = moment === 'within' ? reader.next() : null;
      controller.abort(new Error('gone'));
      if (next !== null) await t.rejects(next, { message: 'mapped: gone' }, moment);
    }
    await closing;
    t.same(outcomes, ['failure'], moment);
  }
});

t.test('who stops reading ends the request', async (t) => {
  let closed: () => void = () => {};
  const closing = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const { ask, outcomes } = await build(t, (_request, response) => {
    response.on('close', closed);
    response.write('begun');
  });
  for await (const _ of (await ask()).body) break;
  await closing;
  t.same(outcomes, ['failure']);
});

t.test('one that waits for a connection is given up at once, and never sent', async (t) => {
  let requests = 0;
  const { ask, outcomes } = await build(
    t,
    (_request, response) => {
      requests++;
      setTimeout(() => response.end('done'), requests === 1 ? 100 : 0);
    },
    1,
  );
  const first = ask();
  const controller = new AbortController();
  const second = ask(controller.signal);
  controller.abort(new Error('gone'));
  await t.rejects(second, { message: 'mapped: gone' });
  t.equal(await readText((await first).body), 'done');
  t.equal(await readText((await ask()).body), 'done');
  t.equal(requests, 2);
  t.same(outcomes, ['failure', 'success 200', 'success 200']);
});

t.test('a signal that has fired sends nothing', async (t) => {
  let requests = 0;
  const { ask } = await build(t, (_request, response) => {
    requests++;
    response.end();
  });
  await t.rejects(ask(AbortSignal.abort(new Error('gone'))), { message: 'mapped: gone' });
  t.equal(requests, 0);
});
