import { createConnection } from 'node:net';
import t from 'tap';
import { buildProxy, nextText, open, question, restOf } from '../helpers/build-proxy.ts';
import { beginEvents, chunkEvent, doneEvent, lastChunk, startFakeVllm } from '../helpers/fake-vllm.ts';

const stream = { ...question, stream: true };

t.test('each event reaches the client before the next is sent, the first too', async (t) => {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake]);
  const steps = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  const last = Promise.withResolvers<void>();
  fake.script = async (response) => {
    beginEvents(response);
    for (const [index, { promise }] of steps.entries()) {
      await promise;
      response.write(chunkEvent(`word ${index}`));
    }
    await last.promise;
    response.end(doneEvent);
  };
  const answer = await (await open(proxy.origin, stream)).answer;
  t.equal(answer.statusCode, 200, 'the head comes before any event');
  for (const [index, { resolve }] of steps.entries()) {
    resolve();
    t.equal(await nextText(answer), chunkEvent(`word ${index}`));
  }
  last.resolve();
  t.equal(await restOf(answer), doneEvent);
});

/** What the sockets and streams on the way hold; far less than what the server would send. */
const MOST_HELD = 16 * 2 ** 20;
const PIECE = chunkEvent('x'.repeat(64 * 1024));

t.test('a client that does not read stops the server from being read, and is let go after a time', async (t) => {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake], { more: { limits: { stalledClientSeconds: 1 } } });
  let written = 0;
  let closed = false;
  fake.script = async (response, { aborted }) => {
    beginEvents(response);
    void aborted.then(() => {
      closed = true;
    });
    while (!closed) {
      written += PIECE.length;
      if (response.write(PIECE)) continue;
      await Promise.race([new Promise((resolve) => response.once('drain', resolve)), aborted]);
    }
  };
  const socket = createConnection(Number(new URL(proxy.origin).port), '127.0.0.1');
  t.teardown(() => socket.destroy());
  const body = JSON.stringify(stream);
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  const { aborted } = await fake.next();
  await aborted;
  t.ok(written > PIECE.length && written < MOST_HELD, `${written} bytes could be sent`);
  await proxy.outstanding(0);
  t.match(proxy.decisions(), [{ decision: 'unknown', finishReason: null }]);
  t.match(
    proxy.logs.find(({ reason }) => reason),
    { code: 'cancelled', reason: 'The client did not read for 1 seconds.' },
  );
});

t.test('a client that reads on again gets everything', async (t) => {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake], { prompt: null });
  const whole = PIECE.repeat(200) + lastChunk + doneEvent;
  fake.script = (response) => beginEvents(response).end(whole);
  const answer = await (await open(proxy.origin, stream)).answer;
  answer.pause();
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.ok((await restOf(answer)) === whole);
});
