import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, type BrowserContextOptions, type Page, chromium } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';

/** Why there is no browser here; undefined where there is one. */
export const NO_BROWSER: string | undefined = existsSync(CHROMIUM) ? undefined : `no ${CHROMIUM} (apt-get install chromium)`;

/** Root is refused the sandbox by the browser itself. */
export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
}

/** A page, and everything about it that must not be. */
export class WatchedPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What was written as an error, thrown, or forbidden by the content security policy. */
  readonly faults: string[] = [];
  /** Requests to anywhere but the origin of the page. */
  readonly foreign: string[] = [];
  readonly requests: string[] = [];

  private constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
  }

  /** @param expected - errors of the browser that belong to the test */
  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}, expected?: RegExp): Promise<WatchedPage> {
    // Motion is drawn without graphics hardware here, and is asked for where it matters.
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', ...options });
    const page = await context.newPage();
    const watched = new WatchedPage(context, page);
    const { origin } = new URL(url);
    page.on('console', (message) => {
      const text = `${message.text()} ${message.location().url}`;
      if (['error', 'warning'].includes(message.type()) && expected?.test(text) !== true) watched.faults.push(text);
    });
    page.on('pageerror', (error) => watched.faults.push(String(error)));
    page.on('request', (request) => {
      watched.requests.push(request.url());
      if (new URL(request.url()).origin !== origin) watched.foreign.push(request.url());
    });
    await page.goto(url);
    return watched;
  }

  /** Waits until the node has been drawn. */
  async drawn(): Promise<this> {
    await this.page.locator('.map-graph canvas').first().waitFor();
    return this;
  }

  close(): Promise<void> {
    return this.context.close();
  }
}
