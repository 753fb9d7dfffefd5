import t from 'tap';
import { accessibilityFaults, keepScreenshot, openPage, startChromium } from '../helpers/chromium.ts';
import { startBusy } from './support.ts';

const desktop = { width: 1440, height: 900 };
const phone = { width: 360, height: 740 };

t.test('the dashboard in a real browser', { timeout: 600_000 }, async (t) => {
  const [gateway, browser] = [await startBusy(t), await startChromium(t)];
  const looks = {
    light: { viewport: desktop, colorScheme: 'light' },
    dark: { viewport: desktop, colorScheme: 'dark' },
    phone: { viewport: phone, colorScheme: 'light', isMobile: true, hasTouch: true, deviceScaleFactor: 2 },
  } as const;
  for (const [name, look] of Object.entries(looks)) {
    const { page, complaints, hosts } = await openPage(browser, `${gateway.admin}/dashboard?by=model&minutes=60`, look);
    await page.locator('.plot canvas').nth(6).waitFor();
    await page.locator('[data-state=live]').waitFor();
    t.strictSame(await accessibilityFaults(page), [], `${name}: axe finds nothing serious`);
    t.strictSame([...hosts], [gateway.admin], `${name}: no other host is asked`);
    t.equal(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0, `${name}: as wide as the screen`);
    t.strictSame(complaints, [], `${name}: the browser has nothing to complain of`);
    await keepScreenshot(page, `dashboard-${name}`);
    await page.context().close();
  }
});
