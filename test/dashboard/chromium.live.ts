import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Browser } from 'playwright-core';
import t, { type Test } from 'tap';
import { buildProxy } from '../helpers/build-proxy.ts';
import { accessibilityFaults, keepScreenshot, openPage, startChromium } from '../helpers/chromium.ts';
import { startFakeVllm } from '../helpers/fake-vllm.ts';
import { startBusy, tell } from './busy-gateway.ts';

const desktop = { width: 1440, height: 900 };
const phone = { width: 360, height: 740 };
const looks = {
  light: { viewport: desktop, colorScheme: 'light' },
  dark: { viewport: desktop, colorScheme: 'dark' },
  phone: { viewport: phone, colorScheme: 'light', isMobile: true, hasTouch: true, deviceScaleFactor: 2 },
} as const;

async function openLive(browser: Browser, url: string, look: (typeof looks)[keyof typeof looks] = looks.light) {
  const opened = await openPage(browser, url, look);
  await opened.page.locator('.plot canvas').nth(6).waitFor();
  await opened.page.locator('[data-state=live]').waitFor();
  return opened;
}

/** Hands bytes on to a port of this machine, until it is told to cut its connections. */
async function startRelay(t: Test, port: number): Promise<{ origin: string; cut(): void }> {
  const sockets = new Set<Socket>();
  const relay = createServer((socket) => {
    const onward = connect(port, '127.0.0.1');
    for (const each of [socket, onward]) {
      sockets.add(each);
      each.on('error', () => {}).on('close', () => sockets.delete(each));
    }
    socket.pipe(onward).pipe(socket);
  });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  t.teardown(() => {
    relay.close();
    cut();
  });
  const address = relay.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return { origin: `http://127.0.0.1:${address.port}`, cut };
}

t.test('the dashboard in a real browser', { timeout: 600_000 }, async (t) => {
  const [gateway, browser] = [await startBusy(t), await startChromium(t)];
  const url = `${gateway.admin}/dashboard?by=model&minutes=60`;

  await t.test('is usable by everyone, in light, in dark and on a phone, and asks nobody else', async (t) => {
    for (const [name, look] of Object.entries(looks)) {
      const { page, complaints, hosts } = await openLive(browser, url, look);
      await keepScreenshot(page, `dashboard-${name}`);
      t.strictSame(await accessibilityFaults(page), [], `${name}: axe finds nothing serious`);
      t.strictSame([...hosts], [gateway.admin], `${name}: no other host is asked`);
      t.equal(
        await page.evaluate('document.documentElement.scrollWidth - innerWidth'),
        0,
        `${name}: no wider than the screen`,
      );
      t.strictSame(complaints, [], `${name}: the browser has nothing to complain of`);
      await page.context().close();
    }
  });

  await t.test('draws what was asked, each group with a line of its own kind', async (t) => {
    const { page } = await openLive(browser, url);
    const rows = page.locator('figure', { has: page.locator('[data-chart=refused]') }).locator('.legend tbody tr');
    t.strictSame(await rows.locator('.name').allTextContents(), ['chat', 'code', 'llama-3-8b']);
    const dashes = await page.evaluate<string[]>(
      '[...document.querySelectorAll("#panel-legend-refused .swatch line")].map((line) => getComputedStyle(line).strokeDasharray)',
    );
    t.equal(new Set(dashes).size, 3, String(dashes));
    // A canvas holds no text: its pixels are what there is to see.
    const drawn = `(() => {
      const canvas = document.querySelector('[data-chart=requests] canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      const isBlue = (at) => data[at] < 60 && data[at + 1] > 90 && data[at + 2] > 150 && data[at + 3] > 200;
      let count = 0;
      for (let at = 0; at < data.length; at += 4) if (isBlue(at)) count++;
      return count;
    })()`;
    t.ok(Number(await page.evaluate(drawn)) > 500, 'the first line goes all the way');
    await page.context().close();
  });

  await t.test('says with the arrow keys what each line was at each time', async (t) => {
    const { page } = await openLive(browser, url);
    const plot = page.getByRole('slider', { name: /^Refused/ });
    await page.locator('[aria-current]').last().focus();
    await page.keyboard.press('Tab');
    t.equal(
      await page.evaluate('document.activeElement.dataset.chart'),
      'refused',
      'the first chart comes after the choices',
    );
    await plot.press('End');
    const last = await plot.getAttribute('aria-valuetext');
    t.match(last, /^\d\d:\d\d:\d\d, chat (\d+\.\d%|nothing), code (\d+\.\d%|nothing), llama-3-8b (\d+\.\d%|nothing)$/);
    await plot.press('PageDown');
    t.notMatch(await plot.getAttribute('aria-valuetext'), last?.slice(0, 8));
    await plot.press('Home');
    t.match(await plot.getAttribute('aria-valuetext'), /chat \d+\.\d%/);
    t.match(await plot.locator('.tip').textContent(), /chat\d+\.\d%/);
    t.equal(await plot.getAttribute('aria-valuenow'), '0');
    t.equal(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'), 'solid', 'the focus is seen');
    await keepScreenshot(page, 'dashboard-keyboard');
    await page.context().close();
  });

  await t.test('shows what is new by itself, leaves alone who reads, and can be told to wait', async (t) => {
    const { page } = await openLive(browser, `${gateway.admin}/dashboard?by=tenant`);
    const legend = page.locator('#panel-legend-requests');
    t.notMatch(await legend.textContent(), 'newcomer');
    const link = page.locator('#panel-decisions a').first();
    await link.focus();
    const focused = await link.getAttribute('href');
    for (let count = 0; count < 5; count++) tell(gateway.observations, { tenant: 'newcomer' });
    await page.locator('#panel-decisions', { hasText: 'newcomer' }).waitFor();
    await legend.getByText(/newcomer|all others/).waitFor();
    t.equal(
      await page.evaluate('document.activeElement.getAttribute("href")'),
      focused,
      'the focus stays where it was',
    );
    await page.getByRole('button', { name: 'Pause' }).click();
    t.equal(await page.locator('#connection').textContent(), 'Paused');
    t.ok(await page.getByRole('button', { name: 'Resume' }).isVisible());
    await page.context().close();
  });

  await t.test('is of use without its script', async (t) => {
    const { page } = await openPage(browser, url, { viewport: desktop, javaScriptEnabled: false });
    t.equal(await page.locator('.plot:visible').count(), 0, 'no empty frames');
    t.ok(await page.locator('#panel-legend-refused', { hasText: 'llama-3-8b' }).isVisible());
    t.match(await page.locator('#connection').textContent(), /reload/);
    await page.getByRole('link', { name: 'Tenant', exact: true }).click();
    t.ok(await page.locator('#panel-legend-refused', { hasText: 'support' }).isVisible());
    await page.context().close();
  });

  await t.test('is live again by itself after its connection was cut', async (t) => {
    const relay = await startRelay(t, Number(new URL(gateway.admin).port));
    const { page } = await openLive(browser, `${relay.origin}/dashboard?by=tenant`);
    relay.cut();
    await page.locator('#connection', { hasText: 'Connection lost, trying again' }).waitFor();
    tell(gateway.observations, { tenant: 'after-the-cut' });
    await page.locator('#panel-decisions', { hasText: 'after-the-cut' }).waitFor();
    t.equal(await page.locator('#connection').textContent(), 'Live');
    await page.context().close();
  });

  await t.test('says when the gateway ends', async (t) => {
    const { page } = await openLive(browser, url);
    await gateway.close();
    await page.locator('#connection', { hasText: 'The gateway has ended, trying again' }).waitFor();
    t.pass();
  });
});

t.test('a gateway that nobody has asked yet says what to do', { timeout: 600_000 }, async (t) => {
  const [gateway, browser] = [await buildProxy(t, [await startFakeVllm(t)]), await startChromium(t)];
  const { page, complaints } = await openLive(browser, `${gateway.admin}/dashboard`);
  t.match(await page.locator('#panel-traffic').textContent(), /Point an OpenAI client/);
  t.match(await page.locator('#panel-rollouts').textContent(), /preamble rollout start/);
  t.strictSame(await accessibilityFaults(page), []);
  t.strictSame(complaints, []);
  await keepScreenshot(page, 'dashboard-empty');
});
