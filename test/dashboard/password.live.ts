import t from 'tap';
import { buildProxy, question } from '../helpers/build-proxy.ts';
import { openPage, startChromium } from '../helpers/chromium.ts';
import { startFakeVllm } from '../helpers/fake-vllm.ts';

t.test(
  'a browser that knows the password sends it for scripts, fonts and events too',
  { timeout: 600_000 },
  async (t) => {
    const gateway = await buildProxy(t, [await startFakeVllm(t)], {
      files: { password: 'hunter2' },
      more: { admin: { port: 0, password: { file: './password' } } },
    });
    const browser = await startChromium(t);
    const url = `${gateway.admin}/dashboard`;

    const known = await openPage(browser, url, { httpCredentials: { username: 'anyone', password: 'hunter2' } });
    await known.page.locator('[data-state=live]').waitFor();
    await gateway.post(question);
    await known.page.locator('#panel-decisions', { hasText: 'complied' }).waitFor();
    t.strictSame([...known.hosts], [gateway.admin]);

    const wrong = { httpCredentials: { username: 'anyone', password: 'wrong' } };
    const { page } = await openPage(browser, url, wrong);
    t.equal(await page.locator('#panel-decisions').count(), 0);
    t.match(await page.content(), 'invalid_password');
  },
);
