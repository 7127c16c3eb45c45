import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { WatchedPage, launch } from './browser.ts';
import { FakeNode, type FakeOptions } from './fake-node.ts';

/** What is seen within a second on a machine that has nothing else to do, in milliseconds. */
const PATIENCE_MS = 15_000;
const FEW = { peers: 7, circuits: 2, relayLinks: 4, relayed: 1 } as const;

/** What the tests of one file look at. */
export interface Exhibition {
  readonly pages: WatchedPage[];
  /** Starts a node that is made up. */
  node(options?: Partial<FakeOptions>): Promise<FakeNode>;
  /** Ends one before its test has ended. */
  stop(which: FakeNode): Promise<void>;
  /** @param expected - errors of the browser that belong to the test */
  open(url: string, options?: BrowserContextOptions, expected?: RegExp): Promise<WatchedPage>;
}

/** A browser for the tests of a group, and what they open in it, each until it has ended. */
export function exhibition(): Exhibition {
  let browser: Browser;
  const nodes: FakeNode[] = [];
  const pages: WatchedPage[] = [];

  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());
  afterEach(async () => {
    const opened = pages.splice(0);
    await Promise.all(opened.map((page) => page.close()));
    await Promise.all(nodes.splice(0).map((node) => node[Symbol.asyncDispose]()));
    // Of every test: no error, nothing that the content security policy forbids, no request to anybody else.
    for (const { faults, foreign } of opened) expect({ faults, foreign }).toEqual({ faults: [], foreign: [] });
  });

  return {
    pages,
    node: async (options = {}) => {
      const made = await FakeNode.start({ ...FEW, ...options });
      nodes.push(made);
      return made;
    },
    stop: async (which) => {
      nodes.splice(nodes.indexOf(which), 1);
      await which[Symbol.asyncDispose]();
    },
    open: async (url, options, expected) => {
      const page = await WatchedPage.open(browser, url, options, expected);
      page.page.setDefaultTimeout(PATIENCE_MS);
      pages.push(page);
      return page;
    },
  };
}

/** Looks until what is expected is seen. */
export function until<T>(look: () => T | Promise<T>, timeout: number = PATIENCE_MS): ReturnType<typeof expect.poll<T>> {
  return expect.poll(look, { timeout, interval: 50 });
}

/** One of the figures above the map. */
export function figure(page: Page, name: string): Locator {
  return page.locator('.figures div', { hasText: name }).locator('dd');
}
