import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { NO_BROWSER } from './dashboard/browser.ts';
import { exhibition, figure, until } from './dashboard/exhibition.ts';

// How fast the page is in a real browser; with nothing beside it, since anything else takes of the same time.

describe.skipIf(NO_BROWSER !== undefined)(`the speed of the dashboard${NO_BROWSER === undefined ? '' : `: ${NO_BROWSER}`}`, () => {
  const { node, open } = exhibition();
  const paintedMs = (page: Page): Promise<number> =>
    page.evaluate(async () => {
      const [entry] = await new Promise<PerformanceEntryList>((resolve) =>
        new PerformanceObserver((list) => resolve(list.getEntriesByName('first-contentful-paint'))).observe({
          type: 'paint',
          buffered: true,
        }),
      );
      return entry?.startTime ?? Infinity;
    });

  test('is painted within a second', async () => {
    const { page } = await open((await node()).url);
    await page.locator('.map-graph canvas').first().waitFor();
    const painted = [await paintedMs(page)];
    // The best of three: what else goes on on this machine is no matter of the page.
    while (Math.min(...painted) >= 1_000 && painted.length < 3) {
      // oxlint-disable-next-line no-await-in-loop
      await page.reload();
      // oxlint-disable-next-line no-await-in-loop
      painted.push(await paintedMs(page));
    }
    console.log(`first paint of the dashboard after ${painted.map((each) => each.toFixed(0)).join(', ')} ms`);
    expect(Math.min(...painted)).toBeLessThan(1_000);
  });

  test('200 peers and 1,000 links stay usable', async () => {
    const { url, network } = await node({ peers: 200, circuits: 100, relayLinks: 680, relayed: 20 });
    const { connections, relayLinks } = network.status();
    const links = connections.reduce((sum, { kind, hops }) => sum + (kind === 'direct' ? 1 : (hops?.length ?? 1)), relayLinks.length);
    expect(links).toBeGreaterThanOrEqual(1_000);
    const { page } = await open(url, { reducedMotion: 'no-preference' });
    await page.locator('.map-graph canvas').first().waitFor();
    await until(() => figure(page, 'Sent').textContent()).toMatch(/MB/);
    const frames = await page.evaluate(async () => {
      const times: number[] = [];
      let before = await new Promise<number>(requestAnimationFrame);
      for (let frame = 0; frame < 90; frame++) {
        const now = await new Promise<number>(requestAnimationFrame);
        times.push(now - before);
        before = now;
      }
      return times.toSorted((a, b) => a - b);
    });
    const [median = 0, late = 0, longest = 0] = [frames[45], frames[85], frames.at(-1)];
    const startedMs = performance.now();
    await page.locator('.choices button').first().click();
    await page.getByRole('tab').first().waitFor();
    const chosenMs = performance.now() - startedMs;
    console.log(
      `200 peers, ${links} links: frames of ${median.toFixed(0)} ms (median), ${late.toFixed(0)} ms (p95), ${longest.toFixed(0)} ms (longest); a path is opened in ${chosenMs.toFixed(0)} ms`,
    );
    // What a person would call slow; a machine with nothing else to do needs 17 ms and 400 ms.
    expect(median).toBeLessThan(100);
    expect(chosenMs).toBeLessThan(5_000);
  });
});
