import { accessSync, constants } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { Test } from 'tap';

/** What distributions call it. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
/** Milliseconds; a browser on two busy cores takes its time. */
const PATIENCE = 120_000;

export interface OpenedPage {
  readonly page: Page;
  /** What the browser complained of so far: violations of the page's policy, errors in its scripts, files that did not come. */
  readonly complaints: readonly string[];
  /** The addresses that it asked, without their paths. */
  readonly hosts: ReadonlySet<string>;
}

/** A real browser, closed with the test. */
export async function startChromium(t: Test): Promise<Browser> {
  // No sandbox: root has none, and the pages are our own.
  const browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox'], timeout: PATIENCE });
  t.teardown(() => browser.close());
  return browser;
}

function findChromium(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  for (const path of NAMES.flatMap((name) => folders.map((folder) => join(folder, name)))) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // The next one, then.
    }
  }
  throw new Error(`None of ${NAMES.join(', ')} is installed: apt-get install chromium.`);
}

export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<OpenedPage> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const complaints: string[] = [];
  const hosts = new Set<string>();
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== 'data:') hosts.add(origin);
  });
  await page.goto(url, { waitUntil: 'load' });
  return { page, complaints, hosts };
}

/** What axe finds that is serious or critical: the rule, and where. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<axe.AxeResults>('axe.run(document, { resultTypes: ["violations"] })');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, help, nodes }) => nodes.map(({ target }) => `${id} (${help}): ${target.join(' ')}`));
}

/** Kept where `SCREENSHOTS` says, for people to look at; nowhere without it. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  const folder = process.env['SCREENSHOTS'];
  if (folder === undefined || folder === '') return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true, animations: 'disabled' });
}
