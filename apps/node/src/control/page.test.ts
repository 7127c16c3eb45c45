import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Page } from './page.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'matryoshka-page-'));
  mkdirSync(join(folder, 'page', 'assets'), { recursive: true });
  writeFileSync(join(folder, 'page', 'index.html'), '<!doctype html><title>Matryoshka</title>');
  writeFileSync(join(folder, 'page', 'assets', 'index-B4d2.js'), 'export {};');
  writeFileSync(join(folder, 'secret'), 'of nobody');
  symlinkSync(join(folder, 'secret'), join(folder, 'page', 'link.html'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | number>;
  readonly body: string;
}

async function answer(page: Page, path: string): Promise<Answer> {
  let status = 0;
  let headers = {};
  let body = '';
  const response = {
    writeHead: (code: number, sent: object) => {
      status = code;
      headers = sent;
      return response;
    },
    end: (content: Buffer) => void (body = content.toString()),
  };
  await page.write(path, response as unknown as ServerResponse);
  return { status, headers, body };
}

describe('the page', () => {
  test('is index.html, asked for anew each time, which may load from here only', async () => {
    const { status, headers, body } = await answer(await Page.read(join(folder, 'page')), '/');
    expect([status, body]).toEqual([200, '<!doctype html><title>Matryoshka</title>']);
    expect(headers).toMatchObject({
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Length': body.length,
      'Cache-Control': 'no-cache',
      'Content-Security-Policy': expect.stringMatching(/^default-src 'none'; script-src 'self';.* frame-ancestors 'none'$/),
      'Referrer-Policy': 'no-referrer',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
    });
  });

  test('has files whose names tell their content: kept for good', async () => {
    expect(await answer(await Page.read(join(folder, 'page')), '/assets/index-B4d2.js')).toMatchObject({
      status: 200,
      headers: { 'Content-Type': 'text/javascript; charset=utf-8', 'Cache-Control': 'public, max-age=31536000, immutable' },
      body: 'export {};',
    });
  });

  test.each(['/secret', '/../secret', '/%2e%2e/secret', '//secret', '/assets', '/assets/', '/link.html', '/index.html/', '/etc/passwd'])(
    'has nothing else: %s',
    async (path) => {
      expect((await Page.read(join(folder, 'page'))).has('GET', path)).toBe(false);
    },
  );

  test('is read, and not written to', async () => {
    const page = await Page.read(join(folder, 'page'));
    expect(['GET', 'HEAD', 'POST', 'DELETE', undefined].map((method) => page.has(method, '/'))).toEqual([true, true, false, false, false]);
  });

  test('that is not built says how to build it, and is there once it is', async () => {
    const page = await Page.read(join(folder, 'later'));
    expect([page.has('GET', '/'), page.has('GET', '/assets/x.js'), await page.built()]).toEqual([true, false, false]);
    const missing = await answer(page, '/');
    expect(missing).toMatchObject({ status: 404, headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' } });
    expect(missing.body).toContain('npx -y pnpm@12 dashboard');
    mkdirSync(join(folder, 'later'));
    writeFileSync(join(folder, 'later', 'index.html'), 'here');
    expect(await answer(page, '/')).toMatchObject({ status: 200, body: 'here' });
    expect(await page.built()).toBe(true);
  });
});
