import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { libraries } from './libraries.ts';
import { type Outcome, buildReference } from './reference.ts';

const out = mkdtempSync(join(tmpdir(), 'matryoshka-reference-'));
let outcome: Outcome;
beforeAll(async () => {
  outcome = await buildReference(libraries(), out);
}, 120_000);
afterAll(() => rmSync(out, { recursive: true, force: true }));

describe('the API reference', () => {
  test('is complete: everything that is exported has words, every link leads somewhere', () => {
    expect(outcome.faults).toEqual([]);
  });

  test('has all entries of all libraries, by the names they are imported by', () => {
    const entries = libraries().flatMap((library) => library.entries);
    expect(libraries().length).toBeGreaterThanOrEqual(9);
    expect([...outcome.exported.keys()].toSorted()).toEqual(entries.map(({ name }) => name).toSorted());
    for (const [name, count] of outcome.exported) expect(count, name).toBeGreaterThan(0);
    expect(readFileSync(join(out, 'index.html'), 'utf8')).toContain('@matryoshka/transport/websocket');
  });

  test('shows signatures, and links from one package into another', () => {
    const page = readFileSync(join(out, 'functions', '_matryoshka_node.createNode.html'), 'utf8');
    expect(page).toContain('MatryoshkaNode');
    const hop = readFileSync(join(out, 'interfaces', '_matryoshka_circuit.Hop.html'), 'utf8');
    expect(hop).toContain('_matryoshka_wire.Endpoint.html');
  });
});

describe('the check itself', () => {
  const folder = mkdtempSync(join(tmpdir(), 'matryoshka-probe-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('finds what has no words, and links that lead nowhere; what its type says needs none', async () => {
    const source = join(folder, 'index.ts');
    writeFileSync(join(folder, 'package.json'), '{ "name": "probe", "version": "1.0.0" }');
    writeFileSync(join(folder, 'tsconfig.json'), '{ "files": ["index.ts", "other.ts"] }');
    writeFileSync(
      source,
      `/** See {@link Nowhere}. */
       export interface Said { readonly type: 'said'; readonly silent: number }
       export function mute(): void {}
       /** In line. */
       export type Line = { readonly type: 'a' } | { readonly bytes: number };`,
    );
    writeFileSync(join(folder, 'other.ts'), 'export {};');
    const entries = [
      { name: 'probe', source },
      { name: 'probe/other', source: join(folder, 'other.ts') },
    ];
    const probe = { name: 'probe', description: 'A probe', entries };
    const { faults } = await buildReference([probe], join(folder, 'api'), join(folder, 'tsconfig.json'));
    expect(faults.map((fault) => /Nowhere|mute|Said\.\w+|Line/.exec(fault)?.[0])).toEqual(['mute', 'Nowhere', 'Said.silent']);
  });
});
