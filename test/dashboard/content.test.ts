import { hash } from 'node:crypto';
import t from 'tap';
import { buildProxy, question } from '../helpers/build-proxy.ts';
import { startFakeVllm } from '../helpers/fake-vllm.ts';

t.test('texts are shown of tenants whose texts are logged, and of no others', async (t) => {
  const tenant = (id: string, content: boolean) => ({
    id,
    keys: [`sha256:${hash('sha256', id)}`],
    logContent: content,
  });
  const tenants = [tenant('open', true), tenant('private', false)];
  const gateway = await buildProxy(t, [await startFakeVllm(t)], { more: { tenants } });
  for (const id of ['open', 'private']) {
    const messages = [{ role: 'user', content: `<b>zebra of ${id}</b>` }];
    await gateway.post({ ...question, messages }, { headers: { authorization: `Bearer ${id}` } });
  }
  while (gateway.decisions().length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  const page = await (await fetch(`${gateway.admin}/dashboard`)).text();
  t.match(page, '&lt;b&gt;zebra of open&lt;/b&gt;');
  t.match(page, 'Good day.');
  t.notMatch(page, 'zebra of private');
  t.notMatch(page, '<b>');
});
