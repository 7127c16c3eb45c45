import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type * as z from 'zod';
import { statusShape } from '../src/control/shapes.ts';
import { startDemo } from './cli.ts';
import { NO_BROWSER } from './dashboard/browser.ts';
import { exhibition, figure, until } from './dashboard/exhibition.ts';

// The page in a real browser, on the real control API of nodes that are made up.

if (NO_BROWSER !== undefined) console.log(`the dashboard is not tested: ${NO_BROWSER}`);

const DEMO = ['B', 'C', 'D', 'E', 'F'] as const;

describe.skipIf(NO_BROWSER !== undefined)(`the dashboard${NO_BROWSER === undefined ? '' : `: ${NO_BROWSER}`}`, () => {
  const { node, stop, open, pages } = exhibition();
  const focused = (page: Page): Promise<string> => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '');

  test('what the made-up node tells has the shapes of the control API', async () => {
    const { network } = await node();
    const shape = (statusShape as z.ZodObject).shape['node'] as z.ZodType;
    expect(shape.safeParse(JSON.parse(JSON.stringify(network.status()))).error).toBeUndefined();
  });

  test('takes the token out of the address, and draws the node', async () => {
    const { page, requests } = await open((await node()).url);
    await page.locator('.map-graph canvas').first().waitFor();
    expect(page.url()).not.toContain('token');
    expect(requests.every((url) => !url.includes('a-token'))).toBe(true);
    await until(() => figure(page, 'Connections').textContent()).toBe('10');
    await page.getByText('A drawing of this node and 7 peers').waitFor();
  });

  test('shows what changes while one looks', async () => {
    const made = await node();
    const { network } = made;
    const { page } = await open(made.url);
    await until(() => figure(page, 'Peers').textContent()).toBe('7');
    await until(() => figure(page, 'Sent').textContent()).toMatch(/^1\.\d+ MB\/s$/);
    network.gone.add(network.peers[6] as string);
    await until(() => figure(page, 'Peers').textContent()).toBe('6');
    await page.getByRole('link', { name: 'Events' }).click();
    await page.getByText('Nothing has happened yet.').waitFor();
    made.events.publish({ event: 'reloaded', changed: ['log.level'], needRestart: [] });
    await page.getByText('Configuration read again: log.level').waitFor();
    await page.getByLabel('node', { exact: true }).uncheck();
    await page.getByText('None of the events is like that.').waitFor();
  });

  test('a relay is killed, and one sees it gone and the path changed', async () => {
    const made = await node({ demo: DEMO });
    const { page } = await open(made.url);
    const relay = made.network.peers[1] as string;
    await page.getByRole('button', { name: 'Kill relay C' }).click();
    await page.getByRole('listitem').filter({ hasText: 'C' }).getByText('down').waitFor();
    expect(made.network.gone).toEqual(new Set([relay]));
    const [connection] = made.network.status().connections.filter(({ hops }) => hops !== undefined);
    made.tell({ event: 'path-changed', connection, gateway: made.network.peers[2], reason: { code: 'relay.carrier-lost', message: '' } });
    const announced = page.getByRole('status').filter({ hasText: 'goes another way, by D (relay.carrier-lost)' });
    await announced.waitFor();
  });

  test('a circuit is taken apart: each hop opens its layer, and knows its neighbours alone', async () => {
    const { page } = await open((await node({ demo: DEMO })).url);
    await page.locator('.choices button', { hasText: 'telescoped' }).first().click();
    const aside = page.getByRole('complementary');
    const names = await aside.getByRole('tab').allTextContents();
    expect(names).toHaveLength(5);
    await aside.getByRole('tab').first().click();
    expect(await aside.locator('.layer-open').count()).toBe(4);
    await aside.getByRole('tab').nth(2).click();
    expect(await aside.locator('.layer').evaluateAll((all: Element[]) => all.map((each) => each.className.split('-')[1]))).toEqual([
      'off',
      'open',
      'sealed',
      'sealed',
    ]);
    const known = (await aside.locator('.knows').textContent()) ?? '';
    expect(known).toContain(`Previous hop: ${names[1]},`);
    expect(known).toContain(`Next hop: ${names[3]},`);
    expect(known).not.toContain(`: ${names[4]},`);
    expect(await aside.locator('.hidden-facts').textContent()).toContain('Your address');
  });

  test('can be walked by keyboard', async () => {
    const { page } = await open((await node({ demo: DEMO })).url);
    await page.locator('.choices button').first().waitFor();
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Skip to content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('content');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Nearer');
    const visible = await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle);
    expect(visible).toBe('solid');
    await page.locator('.choices button', { hasText: 'telescoped' }).first().focus();
    await page.keyboard.press('Enter');
    // The button is gone; who pressed it goes on in what it has opened.
    await until(() => page.evaluate(() => document.activeElement?.tagName)).toBe('ASIDE');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('station-1');
    await page.keyboard.press('ArrowLeft');
    expect(await focused(page)).toBe('you');
    await page.keyboard.press('ArrowRight');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-selected'))).toBe('true');
    await page.keyboard.press('End');
    expect(await page.getByRole('tab').last().getAttribute('aria-selected')).toBe('true');
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { name: /relay links? for others/ }).waitFor();
  });

  test.each([
    ['light', ['', 'view=connections&select=connection:c0&station=2', 'view=events', 'view=limits'], "{ resultTypes: ['violations'] }"],
    // The same page in other colours.
    ['dark', ['select=connection:c0&station=2'], "{ resultTypes: ['violations'], runOnly: 'color-contrast' }"],
  ] as const)('has no barriers that can be found by looking, %s', async (colorScheme, views, options) => {
    const made = await node({ demo: DEMO });
    made.tell({ event: 'stopping' });
    const { page } = await open(made.url, { colorScheme });
    await page.evaluate(axe.source);
    await figure(page, 'Peers').waitFor();
    for (const view of views) {
      // One after the other, on one page.
      /* oxlint-disable no-await-in-loop */
      await page.evaluate((fragment) => void (location.hash = fragment), view);
      await page.locator('table, .events, .layer, .choices').first().waitFor();
      const { violations } = await page.evaluate<axe.AxeResults>(`axe.run(${options})`);
      /* oxlint-enable no-await-in-loop */
      expect(
        violations.map(({ id, nodes: found }) => `${id}: ${found.map(({ html }) => html).join(' ')}`),
        view,
      ).toEqual([]);
    }
  });

  test('stands still for who wants no motion', async () => {
    const { url } = await node();
    const drawing = (page: Page): Promise<string> =>
      page.evaluate(() => document.querySelector<HTMLCanvasElement>('.map-traffic')?.toDataURL() ?? '');
    for (const [reducedMotion, moves] of [
      ['reduce', false],
      ['no-preference', true],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop
      const { page } = await open(url, { reducedMotion, viewport: { width: 390, height: 600 } });
      // oxlint-disable-next-line no-await-in-loop
      await page.waitForFunction(
        () => {
          const canvas = document.querySelector<HTMLCanvasElement>('.map-traffic');
          if (canvas === null) return false;
          const empty = Object.assign(document.createElement('canvas'), { width: canvas.width, height: canvas.height });
          return canvas.toDataURL() !== empty.toDataURL();
        },
        undefined,
        { polling: 100 },
      );
      // oxlint-disable-next-line no-await-in-loop
      const before = await drawing(page);
      // oxlint-disable-next-line no-await-in-loop
      await page.waitForTimeout(300);
      // oxlint-disable-next-line no-await-in-loop
      expect((await drawing(page)) !== before, reducedMotion).toBe(moves);
    }
  });

  test('markup in names stays text', async () => {
    const made = await node({ demo: ['<b>B</b>'] });
    const markup = '<img src=x onerror="window.hacked = true">';
    made.network.hostileEndpoint = markup;
    made.tell({ event: 'received', name: markup, connection: made.network.status().connections[0] });
    const { page } = await open(made.url);
    await page.getByText('<b>B</b>').first().waitFor();
    await page.getByRole('link', { name: 'Connections' }).click();
    await page.getByText(markup).waitFor();
    await page.getByRole('link', { name: 'Events' }).click();
    await page.getByText(`Received “${markup}” from <b>B</b>`).waitFor();
    expect(await page.locator('#page img, #page b').count()).toBe(0);
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
  });

  test('the content security policy holds: nothing inline runs, nothing is sent elsewhere', async () => {
    const { page } = await open((await node()).url, {}, /Content Security Policy|Refused to connect/i);
    const ran = await page.evaluate(async () => {
      const script = document.createElement('script');
      script.textContent = 'window.ran = true';
      document.head.append(script);
      const elsewhere = await fetch('http://127.0.0.1:1/').then(
        () => 'sent',
        () => 'refused',
      );
      return ['ran' in window, elsewhere];
    });
    expect(ran).toEqual([false, 'refused']);
    pages[0]?.foreign.splice(0);
  });

  test('a node that stops is missed, and found again when it is back; one with another token is said to be so', async () => {
    const first = await node();
    const { port } = first;
    const { page } = await open(first.url, {}, /Failed to load resource/);
    await page.getByText('Live').waitFor();
    await stop(first);
    await page.getByText('The node does not answer').first().waitFor();
    expect(await figure(page, 'Connections').textContent()).toBe('10');
    const second = await node({ port, peers: 5 });
    await page.getByText('Live').waitFor();
    expect(await figure(page, 'Peers').textContent()).toBe('5');
    await stop(second);
    const third = await node({ port, token: 'another-token-for-tests-of-the-page' });
    await page.getByRole('heading', { name: 'The node has another token now' }).waitFor();
    await page.getByText('matryoshka dashboard').waitFor();
    await page.getByLabel('Or paste the address, or the token, here').fill(third.url);
    await page.keyboard.press('Enter');
    await page.getByText('Live').waitFor();
  });

  test('without a token, or with a wrong one, it says where one is to be had', async () => {
    const { url } = await node();
    const { origin } = new URL(url);
    const { page, requests } = await open(origin, {}, /401/);
    await page.getByRole('heading', { name: 'This page needs a token' }).waitFor();
    await page.getByText('matryoshka dashboard').waitFor();
    expect(requests.some((request) => request.includes('/v1/'))).toBe(false);
    const field = page.getByLabel('Or paste the address, or the token, here');
    await field.fill(`${origin}/#view=map`);
    await page.keyboard.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'There is no token in it' }).waitFor();
    await field.fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'The node does not take this token' }).waitFor();
    await page.goto(url);
    await page.getByText('Live').waitFor();
  });

  test('a reload leads back to where one was', async () => {
    const { page } = await open((await node()).url);
    await page.getByRole('link', { name: 'Circuits' }).click();
    await page.locator('.row-button').first().click();
    await page.getByRole('tab').nth(3).click();
    await page.reload();
    await page.getByRole('heading', { name: 'Circuits', level: 1 }).waitFor();
    await until(() => page.getByRole('tab').nth(3).getAttribute('aria-selected')).toBe('true');
    await page.goBack();
    await page.getByRole('link', { name: 'Map' }).and(page.locator('[aria-current=page]')).waitFor();
  });

  test('has its place on a phone', async () => {
    const { page } = await open((await node({ demo: DEMO })).url, {
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
    });
    await page.locator('.choices button', { hasText: 'telescoped' }).first().click();
    for (const view of ['Map', 'Connections', 'Circuits', 'Relay links', 'Events', 'Configuration', 'Limits']) {
      // oxlint-disable-next-line no-await-in-loop
      await page.getByRole('navigation').getByRole('link', { name: view }).click();
      // oxlint-disable-next-line no-await-in-loop
      expect(await page.evaluate(() => document.documentElement.scrollWidth), view).toBe(390);
    }
  });

  test('in the living demo a relay of a circuit is killed, and one sees the connection go another way', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'matryoshka-page-demo-'));
    const demo = startDemo(folder, '--stay', '--json', '--size', '0.1', '--revive-after', '60');
    try {
      await until(() => demo.stdout.includes('"dashboard"') || demo.child.exitCode, 60_000).toBe(true);
      const { dashboard } = JSON.parse(demo.stdout.trimEnd().split('\n').at(-1) as string) as { readonly dashboard: string };
      const { page } = await open(dashboard);
      await page.locator('.choices button', { hasText: 'To E' }).first().click();
      const hops = () => page.getByRole('tab').allTextContents();
      await until(async () => (await hops()).length).toBe(5);
      const before = await hops();
      const victim = before[1] as string;
      await page.getByRole('row').getByRole('button', { name: victim, exact: true }).click();
      await page.getByRole('button', { name: `Kill relay ${victim}` }).click();
      await page.getByText('down').first().waitFor();
      await page.keyboard.press('Escape');
      await page.locator('.choices button', { hasText: 'To E' }).first().click();
      // The same connection: it was chosen by its id.
      await until(async () => (await hops())[1] !== victim).toBe(true);
      await until(() => page.locator('.inspector .state').first().textContent()).toBe('open');
      await until(() => page.locator('.inspector .key-sent').textContent()).not.toBe('Sent 0 B/s');
      await page.getByRole('link', { name: 'Events' }).click();
      await page
        .getByText(/^Connection with E goes another way/)
        .first()
        .waitFor();
      await page.close();
    } finally {
      demo.child.kill('SIGINT');
      await demo.exited;
      rmSync(folder, { recursive: true });
    }
  });
});
