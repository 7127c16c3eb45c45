import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };

// What a browser loads of the entry: whatever its modules import, types apart, from file to file.

const ROOT = join(import.meta.dirname, '..');
const IMPORT = /^(?:import|export)\s+(?!type\b)(?:[^;'"]*?\sfrom\s+)?'([^']+)';/gm;
/** Names that only Node has. */
const NODE_GLOBAL = /\b(?:process|Buffer|__dirname|require)\b(?=[.(])/;

/** The files that an entry loads, and the packages. */
function loaded(entry: string): { readonly files: ReadonlySet<string>; readonly packages: ReadonlySet<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const [, specifier] of readFileSync(file, 'utf8').matchAll(IMPORT) as Iterable<[string, string]>) {
      if (specifier.startsWith('.')) visit(join(dirname(file), specifier));
      else packages.add(specifier);
    }
  };
  visit(join(ROOT, entry));
  return { files, packages };
}

const entry = manifest.exports['./websocket'];

test('outside Node the entry loads nothing of Node, nor ws', () => {
  const { files, packages } = loaded(entry['@matryoshka/source']);
  expect([...packages]).toEqual(['@matryoshka/wire']);
  expect([...files].map((file) => file.slice(ROOT.length + 1))).toContain('src/websocket/platform-socket.ts');
  for (const file of files) expect(readFileSync(file, 'utf8'), file).not.toMatch(NODE_GLOBAL);
});

test('the check finds what Node loads', () => {
  const { files, packages } = loaded(entry.node['@matryoshka/source']);
  for (const specifier of ['node:http', 'node:net', 'node:tls', 'ws']) expect(packages).toContain(specifier);
  expect([...files].some((file) => NODE_GLOBAL.test(readFileSync(file, 'utf8')))).toBe(true);
});

test('Node is asked first, for the first condition that holds is taken', () => {
  expect(Object.keys(entry)[0]).toBe('node');
});
