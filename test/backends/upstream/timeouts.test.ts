import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import t from 'tap';
import { createUpstreamServer } from '../../../src/backends/upstream/server.ts';
import { buildProxy, question } from '../../helpers/build-proxy.ts';
import { beginEvents, chunkEvent, startFakeVllm } from '../../helpers/fake-vllm.ts';

const stream = { ...question, stream: true };
const timeouts = { connectSeconds: 1, firstByteSeconds: 1, betweenBytesSeconds: 1 };

t.test('a server that does not begin to answer', async (t) => {
  const fake = await startFakeVllm(t);
  const other = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake, other], { prompt: null, backend: { timeouts } });
  fake.script = () => {};
  other.script = () => {};
  for (const body of [question, stream]) {
    const answer = await proxy.post(body);
    t.equal(answer.status, 504);
    t.match(answer.json(), {
      error: { code: 'upstream_timed_out', type: 'server_error', message: /did not begin to answer/ },
    });
    t.equal(answer.headers.get('x-should-retry'), 'false');
  }
  t.equal(fake.received.length + other.received.length, 2, 'no other server was asked');
  await proxy.outstanding(0);
});

t.test('a server that falls silent in the middle', async (t) => {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake], { backend: { timeouts } });
  fake.script = (response) => void beginEvents(response).write(chunkEvent('I will'));
  const { status, text } = await proxy.post(stream);
  t.equal(status, 200);
  t.ok(text.startsWith(chunkEvent('I will')));
  const event = JSON.parse(text.slice(chunkEvent('I will').length).replace(/^data: /, ''));
  t.match(event, { error: { code: 'upstream_timed_out', message: /fell silent/ } });
  t.notMatch(text, /\[DONE\]/);
  fake.script = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"choices":');
  };
  const whole = await proxy.post(question);
  t.equal(whole.status, 504);
  t.match(whole.json(), { error: { code: 'upstream_timed_out' } });
  t.match(proxy.decisions(), [{ decision: 'unknown' }, { decision: 'unknown' }]);
  await proxy.outstanding(0);
});

t.test('an answer that takes too long as a whole', async (t) => {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake], { more: { limits: { requestSeconds: 1 } } });
  fake.script = () => {};
  const { status, json } = await proxy.post(question);
  t.equal(status, 504);
  t.match(json(), { error: { code: 'timed_out', message: /longer than 1 seconds/ } });

  fake.script = async (response, { aborted }) => {
    beginEvents(response);
    let over = false;
    void aborted.then(() => {
      over = true;
    });
    while (!over) {
      response.write(chunkEvent('and on'));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const { text } = await proxy.post(stream);
  const events = text.trimEnd().split('\n\n');
  t.match(JSON.parse(events.at(-1)?.replace(/^data: /, '') ?? ''), { error: { code: 'timed_out' } });
  t.ok(events.length > 1 && events.slice(0, -1).every((event) => event === chunkEvent('and on').trimEnd()));
  t.match(proxy.decisions(), [{ decision: 'unknown' }, { decision: 'unknown' }]);
  await proxy.outstanding(0);
  t.match(await proxy.status(), { models: [{ servers: [{ healthy: true, problem: null }] }] });
});

t.test('a server that takes no connection in time', async (t) => {
  // A process that stands still: the system shakes hands for it until its backlog is full, and with nobody after.
  const script =
    "require('net').createServer().listen({port:0,host:'127.0.0.1',backlog:1},function(){console.log(this.address().port)})";
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  child.kill('SIGSTOP');
  const port = Number(String(line));
  const fillers = Array.from({ length: 8 }, () => createConnection(port, '127.0.0.1').on('error', () => {}));
  t.teardown(() => {
    for (const filler of fillers) filler.destroy();
  });
  await Promise.race(fillers.map((filler) => once(filler, 'connect')));
  const health = { intervalSeconds: 5, failures: 3, ejectSeconds: 10, slowStartSeconds: 20 };
  const server = createUpstreamServer(`http://127.0.0.1:${port}`, { connections: 8, timeouts, health });
  t.teardown(() => server.close());
  const sent = server.send({ method: 'GET', path: '/', headers: {}, body: [], signal: new AbortController().signal });
  await t.rejects(sent, { code: 'upstream_unreachable', cause: { code: 'UND_ERR_CONNECT_TIMEOUT' } });
  t.equal(server.candidate(0).outstanding, 0);
});
