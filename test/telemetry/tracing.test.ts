import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { until } from '../helpers/build.ts';
import { buildProxy, question } from '../helpers/build-proxy.ts';
import { sendJson, startFakeVllm } from '../helpers/fake-vllm.ts';
import { runCli, serving, startCli } from '../helpers/serve-process.ts';

interface SentSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  status: { code?: number };
  attributes: Record<string, unknown>;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  service: unknown;
}

/** OTLP over HTTP in JSON, as a collector takes it. */
async function startCollector(t: Test) {
  const spans: SentSpan[] = [];
  const server = createServer(async (request, response) => {
    const { resourceSpans }: OtlpBody = JSON.parse(await text(request));
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = attributesOf(resource.attributes)['service.name'];
      for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
        spans.push({ ...span, attributes: attributesOf(span.attributes), service });
      }
    }
    sendJson(response, 200, {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { endpoint: `http://127.0.0.1:${address.port}/v1/traces`, spans };
}

type OtlpAttributes = { key: string; value: Record<string, unknown> }[];
interface OtlpBody {
  resourceSpans: {
    resource: { attributes: OtlpAttributes };
    scopeSpans: { spans: (Omit<SentSpan, 'attributes' | 'service'> & { attributes: OtlpAttributes })[] }[];
  }[];
}

function attributesOf(attributes: OtlpAttributes): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const traced = { traceparent: `00-${TRACE}-${CALLER}-01`, tracestate: 'vendor=1' };

t.test("a request is a span below the caller's, and the model server's are below ours", async (t) => {
  const collector = await startCollector(t);
  const fake = await startFakeVllm(t);
  const tracing = { endpoint: collector.endpoint, serviceName: 'gate' };
  const proxy = await buildProxy(t, [fake], { more: { tracing } });
  const asked = { ...question, stream: true, messages: [{ role: 'user', content: 'zqxprompt' }] };
  await proxy.post(asked, { path: '/v1/chat/completions?key=zqxkey', headers: traced });
  const sent = fake.received.at(-1);
  await proxy.close();
  t.equal(collector.spans.length, 2);
  const server = collector.spans.find(({ kind }) => kind === 2);
  const client = collector.spans.find(({ kind }) => kind === 3);
  t.match(server, {
    traceId: TRACE,
    parentSpanId: CALLER,
    name: 'POST /v1/chat/completions',
    service: 'gate',
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/v1/chat/completions',
      'preamble.result': 'ok',
      'preamble.tenant': 'default',
    },
  });
  t.equal(Number(server?.attributes['http.response.status_code']), 200);
  t.match(client, {
    traceId: TRACE,
    parentSpanId: server?.spanId,
    name: 'chat chat',
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'vllm',
      'gen_ai.request.model': 'chat',
      'gen_ai.request.stream': true,
      'preamble.prompt': 'test/kind@1.0.0',
      'preamble.variant': 'stable',
    },
  });
  t.equal(Number(client?.attributes['gen_ai.usage.output_tokens']), 3);
  t.match(client?.attributes['gen_ai.response.finish_reasons'], { values: [{ stringValue: 'stop' }] });
  t.match(client?.attributes['preamble.decisions'], { values: [{ stringValue: 'complied' }] });
  t.equal(sent?.headers['traceparent'], `00-${TRACE}-${client?.spanId}-01`);
  t.equal(sent?.headers['tracestate'], 'vendor=1');
  t.ok(BigInt(server?.startTimeUnixNano ?? 0) <= BigInt(client?.startTimeUnixNano ?? 0));
  t.ok(BigInt(server?.endTimeUnixNano ?? 0) >= BigInt(client?.endTimeUnixNano ?? 0));
  t.notMatch(JSON.stringify(collector.spans), /zqx/, 'no texts and no keys');
});

t.test('what fails is an error with its code; what was asked wrongly is none', async (t) => {
  const collector = await startCollector(t);
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake], { more: { tracing: { endpoint: collector.endpoint } } });
  await proxy.post({ ...question, model: 'other' });
  fake.script = (response) => response.destroy();
  await proxy.post(question);
  await proxy.close();
  const by = (name: RegExp, error: string) =>
    collector.spans.find((span) => name.test(span.name) && span.attributes['error.type'] === error);
  t.match(by(/^POST/, 'model_not_found')?.status, (code: { code?: number }) => (code.code ?? 0) === 0);
  t.match(by(/^POST/, 'upstream_broken')?.status, { code: 2 });
  t.match(by(/^chat/, 'upstream_broken')?.status, { code: 2 });
  t.equal(collector.spans.length, 3);
});

t.test('a share of 0 traces nothing but what the caller traces, and a wrong header does no harm', async (t) => {
  const collector = await startCollector(t);
  const fake = await startFakeVllm(t);
  const tracing = { endpoint: collector.endpoint, sampleRatio: 0 };
  const proxy = await buildProxy(t, [fake], { more: { tracing } });
  t.match(await proxy.post(question, { headers: { traceparent: 'nonsense' } }), { status: 200 });
  t.match(fake.received.at(-1)?.headers['traceparent'], /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  await proxy.post(question, { headers: traced });
  await proxy.close();
  t.strictSame([...new Set(collector.spans.map(({ traceId }) => traceId))], [TRACE]);
});

t.test('a collector that is away is told of in the log, and nothing else notices', async (t) => {
  const fake = await startFakeVllm(t);
  const tracing = { endpoint: 'http://127.0.0.1:1/v1/traces' };
  const proxy = await buildProxy(t, [fake], { more: { tracing } });
  t.match(await proxy.post(question), { status: 200 });
  await proxy.close();
  await until(() => proxy.logs.some(({ event }) => event === 'tracing.failed'));
});

t.test('without tracing nothing of its library is loaded, and nothing is sent on', async (t) => {
  const fake = await startFakeVllm(t);
  const hook = `import { registerHooks } from 'node:module';
registerHooks({ resolve(name, context, next) {
  const found = next(name, context);
  if (found.url.includes('@opentelemetry/')) process.stderr.write('LOADED ' + found.url + '\\n');
  return found;
} });`;
  const settings = (tracing: string) => `listen: { port: 0 }
admin: { port: 0 }
models:
  chat: { prompt: null, onPromptUnavailable: none, backend: { kind: vllm, urls: ["${fake.origin}"] } }
${tracing}`;
  const environment = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hook)}` };
  const start = async (tracing: string) => {
    const cwd = t.testdir({ 'preamble.yaml': settings(tracing) });
    const cli = startCli(t, cwd, ['serve'], environment);
    const origin = await serving(cli);
    const headers = { 'content-type': 'application/json', ...traced };
    await fetch(`${origin}/v1/chat/completions`, { method: 'POST', headers, body: JSON.stringify(question) });
    cli.child.kill('SIGTERM');
    await cli.ended;
    return cli;
  };
  const off = await start('');
  t.notMatch(off.stderr(), /LOADED/);
  t.equal(fake.received.at(-1)?.headers['traceparent'], undefined);
  const on = await start('tracing: { endpoint: "http://127.0.0.1:1/v1/traces" }');
  t.match(on.stderr(), /LOADED .*sdk-trace/, 'this test would see it');
  t.match(fake.received.at(-1)?.headers['traceparent'], new RegExp(TRACE));
  const cwd = t.testdir({ 'preamble.yaml': settings('tracing: { endpoint: "http://key@host/v1/traces" }') });
  t.match(await runCli(t, cwd, ['config', 'check']), { code: 1, stderr: /tracing\.endpoint/ });
});
