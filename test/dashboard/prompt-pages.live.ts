import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { accessibilityFaults, keepScreenshot, openPage, startChromium } from '../helpers/chromium.ts';
import { startWithShipped } from './prompt-support.ts';

const desktop = { width: 1440, height: 900 };
const looks = {
  light: { viewport: desktop, colorScheme: 'light' },
  dark: { viewport: desktop, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: 'light', isMobile: true, hasTouch: true },
} as const;
/** It has an evaluation, a training's curve and representations. */
const DRO = '/dashboard/prompts/smollm2-135m/dro/1.0.0';
const pages = { prompts: '/dashboard/prompts', prompt: DRO };
/** Captions that are wider than what is seen of their tables. */
const CUT_CAPTIONS = `[...document.querySelectorAll('.scroll')].flatMap((scroll) =>
  [...scroll.querySelectorAll('caption')]
    .filter((caption) => caption.scrollWidth > scroll.clientWidth || caption.offsetWidth > scroll.clientWidth)
    .map((caption) => caption.textContent))`;

t.test('the pages of the prompts in a real browser', { timeout: 600_000 }, async (t) => {
  const [gateway, browser] = [await startWithShipped(t), await startChromium(t)];

  await t.test('are usable by everyone, in light, in dark and on a phone, and ask nobody else', async (t) => {
    for (const [kind, path] of Object.entries(pages)) {
      for (const [look, options] of Object.entries(looks)) {
        const name = `${kind}-${look}`;
        const { page, complaints, hosts } = await openPage(browser, gateway.admin + path, options);
        await keepScreenshot(page, name);
        t.strictSame(await accessibilityFaults(page), [], `${name}: axe finds nothing serious`);
        t.strictSame([...hosts], [gateway.admin], `${name}: no other host is asked`);
        t.equal(
          await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'),
          0,
          `${name}: no wider than the screen`,
        );
        t.equal(await page.evaluate('innerWidth'), options.viewport.width, `${name}: and not zoomed out to fit`);
        t.strictSame(await page.evaluate(CUT_CAPTIONS), [], `${name}: what a table shows is read without scrolling it`);
        t.strictSame(complaints, [], `${name}: the browser has nothing to complain of`);
        await page.context().close();
      }
    }
  });

  await t.test('are reached and read by keyboard, and the focus is seen', async (t) => {
    const { page } = await openPage(browser, gateway.admin + pages.prompts, { viewport: desktop });
    const reach = async (wanted: string) => {
      for (let presses = 0; presses < 100; presses++) {
        await page.keyboard.press('Tab');
        if (await page.evaluate(`document.activeElement.matches(${JSON.stringify(wanted)})`)) return;
      }
      t.fail(`Tab never comes to ${wanted}`);
    };
    await reach(`a[href$="${DRO}"]`);
    t.equal(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'), 'solid');
    await page.keyboard.press('Enter');
    await page.waitForURL(`**${DRO}`);
    await reach('a[href$="/dashboard/prompts"]');
    t.equal(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'), 'solid');
    await page.keyboard.press('Enter');
    await page.waitForURL(`**${pages.prompts}`);
    await page.context().close();
  });

  await t.test('have tables that the arrow keys scroll where the screen is narrower', async (t) => {
    const { page } = await openPage(browser, gateway.admin + pages.prompts, { viewport: looks.phone.viewport });
    const focused = page.locator(':focus');
    const table = page.getByRole('region', { name: /^Versions in use/ });
    const inTable = async () => (await table.and(focused).count()) === 1;
    for (let presses = 0; presses < 10 && !(await inTable()); presses++) await page.keyboard.press('Tab');
    if (!(await inTable())) {
      t.fail('Tab never comes to the table');
      return;
    }
    t.equal(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'), 'solid');
    const scrolled = async () => Number(await page.evaluate('document.activeElement.scrollLeft'));
    t.equal(await scrolled(), 0);
    await page.keyboard.press('ArrowRight');
    while ((await scrolled()) === 0) await sleep(20);
    const left = 'document.querySelector(".scroll caption").getBoundingClientRect().left';
    t.ok(Number(await page.evaluate(left)) >= 0, 'the caption stays in sight');
    await page.keyboard.press('ArrowLeft');
    while ((await scrolled()) > 0) await sleep(20);
    await page.context().close();
  });
});
