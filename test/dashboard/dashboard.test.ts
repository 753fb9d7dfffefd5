import t from 'tap';
import { buildProxy, question } from '../helpers/build-proxy.ts';
import { startFakeVllm } from '../helpers/fake-vllm.ts';

t.test('the dashboard counts what was asked, and holds no text of it', async (t) => {
  const gateway = await buildProxy(t, [await startFakeVllm(t)]);
  const page = async () => await fetch(`${gateway.admin}/dashboard`);
  t.notMatch(await (await page()).text(), 'test/kind@');
  const secret = 'zebra-crossing';
  await gateway.post({ ...question, messages: [{ role: 'user', content: secret }] });
  while (gateway.decisions().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const answer = await page();
  const html = await answer.text();
  t.match(html, 'test/kind@1.0.0');
  t.match(html, '0.0 to 79.3%', 'how little one answer says');
  t.match(html, 'href="/dashboard/prompts/test/kind/1.0.0"');
  t.notMatch(html, secret);
});
