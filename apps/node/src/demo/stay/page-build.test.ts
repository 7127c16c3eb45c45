import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isOutdated } from './page-build.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'matryoshka-build-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Makes a file that was last changed at that second. */
function file(path: string, second: number): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), '');
  utimesSync(join(folder, path), second, second);
}
const outdated = (): boolean => isOutdated(join(folder, 'page'), join(folder, 'sources'));

describe('the page is built', () => {
  test('where there are sources and no page', () => {
    file('sources/index.html', 1);
    expect(outdated()).toBe(true);
  });

  test.each(['index.html', 'vite.config.ts', 'src/main.tsx', 'src/views/app.tsx'])('where %s was changed after it', (changed) => {
    file('sources/index.html', 1);
    file('page/index.html', 2);
    expect(outdated()).toBe(false);
    file(`sources/${changed}`, 3);
    expect(outdated()).toBe(true);
  });

  test('not where only what it is made with is newer, nor where there are no sources', () => {
    expect(outdated(), 'an installed package').toBe(false);
    file('sources/index.html', 1);
    file('page/index.html', 2);
    file('sources/node_modules/vite/package.json', 3);
    file('sources/test/page.e2e.test.ts', 3);
    expect(outdated()).toBe(false);
  });
});
