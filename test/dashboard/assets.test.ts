import t from 'tap';
import { buildProxy } from '../helpers/build-proxy.ts';
import { startFakeVllm } from '../helpers/fake-vllm.ts';

t.test('everything that the page and its scripts name comes from this listener, and is sent once', async (t) => {
  const gateway = await buildProxy(t, [await startFakeVllm(t)]);
  const page = await (await fetch(`${gateway.admin}/dashboard`)).text();
  t.notMatch(page, /<style|<script>| style=| on[a-z]+=/, 'nothing that the policy would have to allow by name');
  const seen = new Set([...page.matchAll(/"(\/dashboard\/assets\/[a-z.]+)"/g)].map(([, path = '']) => path));
  for (const path of seen) {
    const response = await fetch(gateway.admin + path);
    t.equal(response.status, 200, path);
    t.match(response.headers.get('content-type'), path.endsWith('.css') ? /^text\/css/ : /^text\/javascript/);
    t.match(response.headers.get('content-security-policy'), /default-src 'none'/);
    const text = await response.text();
    for (const [, name = ''] of text.matchAll(/from '\.\/([a-z]+\.js)'/g)) seen.add(`/dashboard/assets/${name}`);
    const again = await fetch(gateway.admin + path, {
      headers: { 'if-none-match': response.headers.get('etag') ?? '' },
    });
    t.equal(again.status, 304);
    t.equal(await again.text(), '');
  }
  t.ok(seen.has('/dashboard/assets/uplot.js') && seen.has('/dashboard/assets/tooltip.js'), [...seen].join(' '));
  for (const path of ['/dashboard/assets/', '/dashboard/assets/..%2fcharts.ts', '/dashboard/assets/uplot.d.ts']) {
    t.equal((await fetch(gateway.admin + path)).status, 404, path);
  }
});
