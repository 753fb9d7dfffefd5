import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import t from 'tap';
import { MAX_SUBSCRIBERS } from '../../src/dashboard/subscribers.ts';
import { buildProxy, nextText, question, restOf } from '../helpers/build-proxy.ts';
import { startFakeVllm } from '../helpers/fake-vllm.ts';

interface News {
  readonly panels: Readonly<Record<string, string>>;
  readonly charts: { readonly whole: boolean; readonly start: number; readonly lines: Record<string, unknown[][]> };
}

async function follow(url: string): Promise<IncomingMessage> {
  const request = get(url, { agent: false });
  request.on('error', () => {});
  const [response] = await once(request, 'response');
  return response;
}

/** The next event's data. */
async function nextNews(stream: IncomingMessage): Promise<News> {
  let text = '';
  while (!text.includes('data: ') || !text.endsWith('\n\n')) text += await nextText(stream);
  return JSON.parse(text.slice(text.indexOf('data: ') + 6).split('\n', 1)[0] ?? '');
}

t.test('a page is told everything first, then what has changed', async (t) => {
  const gateway = await buildProxy(t, [await startFakeVllm(t)]);
  const stream = await follow(`${gateway.admin}/dashboard/events?by=model&minutes=60`);
  t.match(stream.headers, { 'content-type': /^text\/event-stream/, 'content-security-policy': /default-src 'none'/ });
  const first = await nextNews(stream);
  t.ok(first.charts.whole);
  t.equal(first.charts.lines['total']?.[0]?.length, 360, 'an hour');
  t.same(first.charts.lines['requests'], []);
  t.match(Object.keys(first.panels), ['attention', 'headline', 'traffic']);
  await gateway.post(question);
  let news = await nextNews(stream);
  while (news.panels['decisions'] === undefined) news = await nextNews(stream);
  t.match(news.panels['decisions'], 'complied');
  t.ok(news.charts.whole, 'there is a line that nobody knew of');
  const later = await nextNews(stream);
  t.notOk(later.charts.whole);
  t.ok((later.charts.lines['requests']?.[0]?.length ?? 0) < 10, 'the newest columns alone');
  t.notOk('decisions' in later.panels, 'and nothing that is as it was');
  stream.destroy();
});

t.test('a page that no more fit is told so, and has its place when another goes', async (t) => {
  const gateway = await buildProxy(t, [await startFakeVllm(t)]);
  const url = `${gateway.admin}/dashboard/events`;
  const streams = await Promise.all(Array.from({ length: MAX_SUBSCRIBERS }, () => follow(url)));
  t.ok(streams.every(({ statusCode }) => statusCode === 200));
  const refused = await follow(url);
  t.equal(refused.statusCode, 429);
  t.match(await restOf(refused), 'Close one that nobody looks at');
  streams[0]?.destroy();
  let next = await follow(url);
  while (next.statusCode === 429) next = await follow(url);
  t.equal(next.statusCode, 200);
  for (const stream of [...streams, next]) stream.destroy();
});

t.test('a gateway that ends says so, and does not wait for whoever looks on', async (t) => {
  const gateway = await buildProxy(t, [await startFakeVllm(t)]);
  const stream = await follow(`${gateway.admin}/dashboard/events`);
  await nextNews(stream);
  await gateway.close();
  t.match(await restOf(stream), /event: end\ndata: \{\}\n\n$/);
});
