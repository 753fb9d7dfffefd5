import t from 'tap';
import { type AnswerBody, createAnswerBody } from '../../../src/backends/upstream/answer-body.ts';

function recorded() {
  const calls: string[] = [];
  const body = createAnswerBody({
    pause: () => calls.push('pause'),
    resume: () => calls.push('resume'),
    abandon: () => calls.push('abandon'),
  });
  return { body, calls };
}

async function readAll(body: AnswerBody): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

t.test('bytes come out in their order, whether they were waited for or had piled up', async (t) => {
  const { body } = recorded();
  body.push(Buffer.from('a'));
  body.push(Buffer.from('b'));
  const read = readAll(body);
  await new Promise((resolve) => setImmediate(resolve));
  body.push(Buffer.from('c'));
  body.end();
  t.equal(await read, 'abc');
});

t.test('what has piled up is one piece', async (t) => {
  const { body } = recorded();
  body.push(Buffer.from('a'));
  body.push(Buffer.from('b'));
  const { value } = await body[Symbol.asyncIterator]().next();
  t.equal(Buffer.from(value ?? []).toString(), 'ab');
});

t.test('the server waits while too much lies unread, and goes on when it is read', async (t) => {
  const { body, calls } = recorded();
  body.push(Buffer.alloc(65_535));
  t.same(calls, []);
  body.push(Buffer.alloc(1));
  t.same(calls, ['pause']);
  await body[Symbol.asyncIterator]().next();
  t.same(calls, ['pause', 'resume']);
});

t.test('what came before a failure is read before it is thrown', async (t) => {
  const { body } = recorded();
  body.push(Buffer.from('a'));
  body.fail(new Error('broke off'));
  const reader = body[Symbol.asyncIterator]();
  t.equal(Buffer.from((await reader.next()).value ?? []).toString(), 'a');
  await t.rejects(reader.next(), { message: 'broke off' });
});

t.test('a failure reaches whoever waits', async (t) => {
  const { body } = recorded();
  const waiting = body[Symbol.asyncIterator]().next();
  body.fail(new Error('broke off'));
  await t.rejects(waiting, { message: 'broke off' });
});

t.test('who stops reading abandons the request, once, and not one that has ended', async (t) => {
  const { body, calls } = recorded();
  body.push(Buffer.from('a'));
  for await (const _ of body) break;
  await body[Symbol.asyncIterator]().return?.();
  t.same(
    calls.filter((call) => call !== 'resume'),
    ['abandon'],
  );

  const ended = recorded();
  ended.body.end();
  await ended.body[Symbol.asyncIterator]().return?.();
  t.same(ended.calls, []);
});
